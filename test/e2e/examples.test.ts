/** The examples do what they say, every one. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'gv-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The network of one's own has a test of its own (test/cli/own-network.test.ts). */
const RUN_ELSEWHERE: readonly string[] = ['my-model.ts']

const ran = new Set<string>()
// A test that runs tests must not pass on that it is one.
const { NODE_TEST_CONTEXT: _, ...env } = process.env
const node = (...args: readonly string[]) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 120_000, env })

function example(name: string, ...args: readonly string[]): string {
  ran.add(name)
  return node(join(root, 'scripts/examples', name), ...args)
}

test('a peer in ten lines solves CartPole, and its policy, exported, plays it', () => {
  const data = join(folder, 'peer')
  assert.match(example('peer.ts', data), /^solved after \d+ steps$/m)
  const policy = join(folder, 'policy.safetensors')
  node(join(root, 'src/cli/grapevine.cjs'), 'export', data, '--of', 'self', '--out', policy)
  const [, played] = /^return (\d+)$/m.exec(example('load-policy.ts', policy)) ?? []
  assert.ok(Number(played) > 100, `return ${played}`)
})

test('three peers in one script average', () => {
  assert.match(example('three-peers.ts', join(folder, 'swarm')), /^both joiners have averaged; 2 peers/m)
})

test('an environment of one’s own keeps the contract', () => {
  ran.add('my-env.ts')
  const said = node(join(root, 'src/cli/grapevine.cjs'), 'envs', '--check', join(root, 'scripts/examples/my-env.ts'))
  assert.match(said, /^Corridor-v0 keeps the contract/)
})

test('a strategy of one’s own brings replicas together', () => {
  const [, first, last] = /: ([\d.]+) at first, ([\d.]+) after 60 rounds/.exec(example('own-strategy.ts')) ?? []
  assert.ok(Number(last) < Number(first) / 10, `${first} and ${last}`)
})

test('a simulation with faults is a test that passes', () => {
  ran.add('faults.test.ts')
  assert.match(node('--test', '--test-reporter=tap', join(root, 'scripts/examples/faults.test.ts')), /^# pass 1$/m)
})

test('no example was left out', () => {
  const files = readdirSync(join(root, 'scripts/examples')).filter((name) => name.endsWith('.ts') && !RUN_ELSEWHERE.includes(name))
  assert.deepEqual(
    files.filter((name) => !ran.has(name)),
    [],
  )
})
