import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { fakeIo } from './fake.ts'

async function script(shell: string): Promise<string> {
  const io = fakeIo()
  assert.equal(await run(['completion', shell], io), 0)
  return io.written.out
}

const available = (shell: string) => (spawnSync(shell, ['-c', 'true']).status === 0 ? false : `no ${shell} here`)

test('bash completes commands, flags and values', { skip: available('bash') }, async () => {
  const completed = async (...words: string[]) => {
    const program = `${await script('bash')}
COMP_WORDS=(grapevine ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _grapevine; printf '%s\\n' "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['-c', program], { encoding: 'utf8' }).stdout.trim().split('\n')
  }
  assert.deepEqual(await completed('res'), ['resume'])
  assert.deepEqual(await completed('start', '--unt'), ['--until'])
  assert.deepEqual(await completed('start', '--env', 'Acro'), ['Acrobot-v1'])
  assert.deepEqual(await completed('status', '--wa'), ['--watch'])
  assert.deepEqual(await completed('start', '--wait'), [''])
})

test('zsh and fish get a script that names every command', async () => {
  const [zsh, fish] = [await script('zsh'), await script('fish')]
  for (const command of ['start', 'join', 'status', 'pause', 'completion']) {
    assert.match(zsh, new RegExp(`'${command}:`))
    assert.match(fish, new RegExp(`-a ${command} -d `))
  }
  assert.match(fish, /-n '__fish_seen_subcommand_from start' -l env -d .* -x -a '.*CartPole-v1/)
})

test('another shell is told which there are', async () => {
  const io = fakeIo()
  assert.equal(await run(['completion', 'bsh'], io), 2)
  assert.equal(io.written.err, 'grapevine: There is no completion for bsh; did you mean bash?\n')
})
