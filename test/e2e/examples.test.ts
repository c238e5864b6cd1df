/** The examples do what they say. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'gv-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const node = (...args: readonly string[]) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 120_000 })
const example = (name: string, ...args: readonly string[]) => node(join(root, 'scripts/examples', name), ...args)

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
