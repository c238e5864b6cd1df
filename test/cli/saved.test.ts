/** `export` and `eval` on what a run left behind, in one process with it. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { loadSavedPolicy } from '../../src/node/saved-policy.ts'
import { createPeer } from '../../src/peer/daemon.ts'
import { resolveSettings } from '../../src/peer/settings.ts'
import { loadPolicy } from '../../src/policy.ts'
import { fakeIo } from './fake.ts'

const folder = mkdtempSync(join(tmpdir(), 'gv-'))
const data = join(folder, 'data')
const at = (name: string) => join(folder, name)
after(() => rmSync(folder, { recursive: true, force: true }))

before(async () => {
  const flags = { 'data-dir': data, until: 'steps=60000', deterministic: true, 'eval-every': 20_000 }
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const peer = createPeer(resolveSettings({ command: 'start', addresses: [], flags, file: null, randomSeed: 1 }), { log: quiet })
  await peer.start()
  await peer.finished
})

async function grapevine(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo()
  const code = await run(argv, io)
  return { code, ...io.written }
}

test('a data folder becomes a policy that is loaded and evaluated alike', async () => {
  const exported = await grapevine('export', data, '--out', at('policy.safetensors'), '--json')
  assert.deepEqual([exported.code, exported.err], [0, ''])
  const { from, version, evaluation } = JSON.parse(exported.out)
  assert.match(from, /^checkpoints\/best-/)
  assert.ok(version > 0)
  assert.equal(evaluation, null)
  assert.equal((await loadPolicy(at('policy.safetensors'))).facts.version, version)
  const results = []
  for (const path of [at('policy.safetensors'), data]) {
    const { code, out } = await grapevine('eval', path, '--episodes', '20', '--seed', '3', '--deterministic', '--json')
    assert.equal(code, 0)
    results.push(JSON.parse(out))
  }
  assert.deepEqual(results[0].returns, results[1].returns)
  assert.equal(results[0].returns.length, 20)
  assert.ok(results[0].mean > 100, `it learned something: ${results[0].mean}`)
})

test('other formats are written, the mean is evaluated first, and an episode is drawn', async () => {
  assert.equal((await grapevine('export', data, '--format', 'onnx', '--of', 'self', '--out', at('policy.onnx'))).code, 0)
  assert.ok(readFileSync(at('policy.onnx')).length > 1_000)
  const mean = await grapevine('export', data, '--format', 'tfjs', '--of', 'mean', '--out', at('layers'), '--json')
  assert.equal(mean.code, 0)
  assert.ok(JSON.parse(mean.out).evaluation.episodes > 0)
  assert.deepEqual([existsSync(at('layers/model.json')), existsSync(at('layers/weights.bin'))], [true, true])
  const { code, out } = await grapevine('eval', data, '--episodes', '1', '--gif', at('play.gif'))
  assert.equal(code, 0)
  assert.match(out, /^CartPole-v1, version \d+, from checkpoints\/best-.*: mean return \d+\.\d ± 0\.0 over 1 episodes\n$/)
  assert.equal(readFileSync(at('play.gif')).subarray(0, 6).toString('latin1'), 'GIF89a')
})

test('a new run begins with exported weights; what does not fit is named, and nothing that fits is an error', async () => {
  assert.equal((await grapevine('export', data, '--of', 'self', '--out', at('weights.safetensors'))).code, 0)
  const begin = async (flags: Readonly<Record<string, unknown>>) => {
    const settings = resolveSettings({
      command: 'start',
      addresses: [],
      flags: { 'data-dir': mkdtempSync(join(folder, 'new-')), 'wait-for-peers': 1, 'init-from': at('weights.safetensors'), ...flags },
      file: null,
      randomSeed: 2,
    })
    const peer = createPeer(settings)
    const warnings: string[] = []
    peer.on((event) => event.event === 'warning' && event.code === 'init_from' && warnings.push(event.message))
    try {
      await peer.start()
    } finally {
      await peer.stop()
    }
    return { warnings, dataDir: peer.dataDir! }
  }
  const same = await begin({})
  assert.deepEqual(same.warnings, [])
  const [first, second] = await Promise.all([same.dataDir, data].map(async (path) => (await loadSavedPolicy(path, 'self')).parameters))
  assert.deepEqual(first, second)
  const { warnings } = await begin({ env: 'Acrobot-v1' })
  assert.match(warnings[0]!, /were not taken from .*: .*dense1\/kernel \(4x64 there, 6x64 here\)/)
  await assert.rejects(begin({ 'init-from': at('notes') }), { code: 'init_from', message: /ENOENT/ })
})

test('bad input gets one sentence and its exit code', async () => {
  writeFileSync(at('notes.txt'), 'no policy')
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['export', data], 2, /^grapevine: export needs --out/],
    [['export', data, '--out', at('x'), '--format', 'h5'], 2, /^grapevine: --format must be safetensors, onnx, tfjs, not "h5"\.$/],
    [['eval', data, '--of', 'first'], 2, /^grapevine: --of must be best, self, mean, not "first"\.$/],
    [['eval', data, '--episodes', '0'], 2, /^grapevine: --episodes must be a whole number from 1 to 1000000, not "0"\.$/],
    [['eval', at('nowhere')], 1, /^grapevine: There is nothing at .*nowhere; name a data folder/],
    [['eval', at('notes.txt')], 1, /^grapevine: A checkpoint cannot be used: it has no checksum\.$/],
    [['eval', folder], 1, /^grapevine: There is no checkpoint in/],
    [['export', data, '--out', at('notes.txt/below')], 1, /^grapevine: Cannot write below/],
  ]
  for (const [argv, code, message] of cases) {
    const outcome = await grapevine(...argv)
    assert.equal(outcome.code, code, outcome.err)
    assert.match(outcome.err.trimEnd(), message)
    assert.equal(outcome.err.trimEnd().split('\n').length, 1)
  }
})
