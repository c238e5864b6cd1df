import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'

const scripts = join(import.meta.dirname, '../../scripts')

function run(script: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(scripts, script), ...args], { encoding: 'utf8' })
  return { status, stdout, stderr: stderr.trim() }
}

describe('scripts that are given what they do not take', () => {
  for (const [what, script, args, sentence] of [
    ['an unknown flag', 'chaos/main.ts', ['--cases', '4'], /^Unknown option '--cases'.*"npm run chaos -- --help" says what it takes\.$/],
    [
      'a case that is not there',
      'chaos/main.ts',
      ['--case', '4,99'],
      /^There is no case 99; --list shows them\. "npm run chaos -- --help"/,
    ],
    ['no case', 'chaos/main.ts', [], /^Which case\? Choose with --case, or all with --all; --list shows them\. /],
    ['no length of time', 'chaos/main.ts', ['--case', '28', '--soak', '10'], /^--soak 10 is no length of time such as 90s, 10m or 12h\. /],
    ['no seed', 'chaos/main.ts', ['--case', '4', '--seed', 'x'], /^--seed x is no whole number\. /],
    [
      'an unknown flag',
      'bench/main.ts',
      ['poison', '--node', '4'],
      /^Unknown option '--node'.*"npm run bench -- poison --help" says what it takes\.$/,
    ],
    ['an unknown benchmark', 'bench/main.ts', ['poisson'], /^There is no benchmark poisson\. Choose one of: .*poison/],
  ] as const) {
    test(`${script}: ${what} is one sentence and exit 2`, () => {
      const { status, stdout, stderr } = run(script, ...args)
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, sentence)
      assert.equal(stderr.split('\n').length, 1)
    })
  }

  test('their help is the comment at their head', () => {
    for (const args of [['chaos/main.ts'], ['bench/main.ts', 'poison']] as const) {
      const [script, ...rest] = args
      const { status, stdout } = run(script, ...rest, '--help')
      assert.equal(status, 0)
      assert.match(stdout, script === 'chaos/main.ts' ? /--soak 10m/ : /--kinds nan,alie/)
      assert.ok(!stdout.includes('*'))
    }
  })
})
