/** `export`, `eval` and `report` on what a run left behind, in one process with it. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { acquireLock } from '../../src/node/lock.ts'
import { loadSavedPolicy } from '../../src/node/saved-policy.ts'
import { createPeer } from '../../src/peer/daemon.ts'
import { resolveSettings } from '../../src/peer/settings.ts'
import { loadPolicy } from '../../src/policy.ts'
import { sealTensors, vectors } from '../../src/wire/sealed-tensors.ts'
import { fakeIo } from './fake.ts'
import { grapevine as spawned } from './spawn.ts'

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
  const ours = sealTensors({ tensors: vectors({ odd: Float32Array.of(1) }), metadata: {} })
  writeFileSync(at('odd.safetensors'), ours)
  await assert.rejects(begin({ 'init-from': at('odd.safetensors') }), {
    code: 'init_from',
    message: /^Nothing in .*odd\.safetensors \(--init-from\) fits the network of this run: .+\.$/,
  })
  await assert.rejects(begin({ 'init-from': at('notes') }), { code: 'init_from', message: /ENOENT/ })
})

test('bad input gets one sentence and its exit code', async () => {
  writeFileSync(at('notes.txt'), 'no policy')
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['export', data], 2, /^grapevine: export needs --out/],
    [['export', data, '--out', at('x'), '--format', 'h5'], 2, /^grapevine: --format must be safetensors, onnx, tfjs, not "h5"\.$/],
    [['export', data, '--out', folder], 1, /^grapevine: Cannot write gv-\S+ in \S+: .*directory.*\.$/],
    [['eval', data, '--of', 'first'], 2, /^grapevine: --of must be best, self, mean, not "first"\.$/],
    [['eval', data, '--episodes', '0'], 2, /^grapevine: --episodes must be a whole number from 1 to 1000000, not "0"\.$/],
    [['eval', at('nowhere')], 1, /^grapevine: There is nothing at .*nowhere; name a data folder/],
    [
      ['eval', at('notes.txt')],
      1,
      /^grapevine: \S+notes\.txt is no checkpoint or export that can be used \(it has no checksum\); name a data folder, a checkpoint or an export\.$/,
    ],
    [['eval', folder], 1, /^grapevine: There is no checkpoint in/],
    [['export', data, '--out', at('notes.txt/below')], 1, /^grapevine: Cannot write below in .*notes\.txt: E/],
  ]
  for (const [argv, code, message] of cases) {
    const outcome = await grapevine(...argv)
    assert.equal(outcome.code, code, outcome.err)
    assert.match(outcome.err.trimEnd(), message)
    assert.equal(outcome.err.trimEnd().split('\n').length, 1)
  }
})

test('a damaged export is refused by whoever reads it', async () => {
  assert.equal((await grapevine('export', data, '--out', at('whole.safetensors'))).code, 0)
  const bytes = readFileSync(at('whole.safetensors'))
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(at('flipped.safetensors'), bytes)
  const flipped = at('flipped.safetensors')
  for (const argv of [
    ['eval', flipped],
    ['export', flipped, '--out', at('again')],
    ['report', flipped],
    ['start', '--init-from', flipped],
  ]) {
    const { code, err } = await grapevine(...argv, ...(argv[0] === 'start' ? ['--data-dir', at('from-flipped')] : []))
    assert.equal(code, argv[0] === 'start' ? 2 : 1, err)
    assert.match(err, /its checksum does not match its bytes, so it is damaged/)
  }
})

test('a report on a run that is going on says so', async () => {
  const { release } = await acquireLock(data)
  const { out } = await grapevine('report', data, '--out', at('report.html'))
  await release()
  assert.match(out, /\nIt is still running: the page shows it as it was when the page was made\.\n$/)
})

test('a report tells of a data folder, of a checkpoint and of an export, each with what it has', async () => {
  const ofFolder = await grapevine('report', data, '--out', at('report.html'), '--json')
  assert.deepEqual([ofFolder.code, ofFolder.err], [0, ''])
  const told = JSON.parse(ofFolder.out)
  assert.deepEqual([told.out, told.missing, told.steps], [at('report.html'), [], 60_000])
  const page = readFileSync(at('report.html'), 'utf8')
  assert.equal(told.bytes, readFileSync(at('report.html')).length)
  for (const text of ['CartPole-v1 with a2c', 'stopped: reached 60000 steps', 'Evaluations', 'Checkpoints'])
    assert.ok(page.includes(text), text)
  const checkpoint = join(data, 'checkpoints', readdirSync(join(data, 'checkpoints')).sort().at(0)!)
  const ofCheckpoint = await grapevine('report', checkpoint, '--out', at('report.html'))
  assert.equal(ofCheckpoint.code, 0)
  assert.match(
    ofCheckpoint.out,
    /^wrote .*report\.html: CartPole-v1 with a2c, 0 points of curves, \d+ kB\nThis is one checkpoint: it has no curves, events, peers or settings\. A report on the data folder that it came from has them\.\n$/,
  )
  assert.equal((await grapevine('export', data, '--out', at('exported.safetensors'))).code, 0)
  assert.match((await grapevine('report', at('exported.safetensors'), '--out', at('report.html'))).out, /This is an exported policy: /)
})

test('a report of a folder whose record or checkpoints are damaged or gone says so', async () => {
  const copy = at('damaged')
  cpSync(data, copy, { recursive: true })
  const [record] = readdirSync(join(copy, 'records'))
  writeFileSync(join(copy, 'records', record!), 'nonsense\n')
  const report = () => grapevine('report', copy, '--out', at('report.html'))
  assert.match((await report()).out, /\nThere are no curves, events or peers: records\/\S+ is damaged\.\n/)
  rmSync(join(copy, 'records'), { recursive: true })
  assert.match((await report()).out, /\nThere are no curves, events or peers: this run was trained by a version that kept no record\.\n/)
  for (const name of readdirSync(join(copy, 'checkpoints'))) writeFileSync(join(copy, 'checkpoints', name), 'nonsense')
  assert.match((await report()).err, /^grapevine: Nothing of the run in .*damaged can be read: it has no checksum\.$/m)
  cpSync(join(data, 'records'), join(copy, 'records'), { recursive: true })
  const { code, out } = await report()
  assert.equal(code, 0)
  assert.match(out, /[1-9]\d* points? of curves.*\nThere is no whole checkpoint of this run\.\n$/)
})

test('a report that cannot be made or written says why, and never writes over what is no report', async () => {
  mkdirSync(at('empty'), { recursive: true })
  const report = (path: string, out: string) => grapevine('report', path, '--out', out)
  const cases: readonly [string, string, number, RegExp][] = [
    [at('nowhere'), at('x.html'), 1, /^grapevine: There is nothing at .*nowhere; name a data folder, a checkpoint or an export\.$/],
    [at('empty'), at('x.html'), 1, /^grapevine: There is no run in .*empty to report on; name the data folder of one that has trained\.$/],
    [
      at('notes.txt'),
      at('x.html'),
      1,
      /^grapevine: \S+notes\.txt is no checkpoint or export that can be used \(it has no checksum\); name a data folder, a checkpoint or an export\.$/,
    ],
    [data, at('notes.txt'), 2, /^grapevine: .*notes\.txt is there already and is no report; name another file with --out\.$/],
    [data, at('notes.txt/x.html'), 2, /^grapevine: Cannot write the report to .*notes\.txt\/x\.html \(--out\): ENOTDIR/],
    [data, at('empty'), 2, /^grapevine: Cannot write the report to .*empty \(--out\): EISDIR/],
    [data, at('nowhere/x.html'), 2, /^grapevine: Cannot write the report to .*nowhere\/x\.html \(--out\): ENOENT/],
  ]
  for (const [path, out, code, message] of cases) {
    const outcome = await report(path, out)
    assert.equal(outcome.code, code, outcome.err)
    assert.match(outcome.err.trimEnd(), message)
  }
  assert.equal(readFileSync(at('notes.txt'), 'utf8'), 'no policy')
  assert.equal(existsSync(at('x.html')), false)
})

test('a policy of an environment of one’s own needs its module, and says so', async () => {
  const module = join(import.meta.dirname, '../../scripts/examples/my-env.ts')
  const { code } = await grapevine('start', '--env', module, '--data-dir', at('corridor'), '--until', 'steps=4000', '--no-http', '--quiet')
  assert.equal(code, 0)
  // Known from here on in this process: another one asks for it.
  const alone = await spawned(['eval', at('corridor'), '--episodes', '2'], folder)
  assert.equal(alone.code, 2)
  assert.match(alone.err, /^grapevine: Environment "Corridor-v0" is not registered here.* \(one of your own needs --env MODULE\)\.$/m)
  const exported = await spawned(['export', at('corridor'), '--env', module, '--out', at('corridor.safetensors')], folder)
  assert.deepEqual([exported.code, exported.err], [0, ''])
  assert.match((await spawned(['eval', at('corridor.safetensors'), '--episodes', '2'], folder)).err, /needs --env MODULE/)
  const played = await spawned(['eval', at('corridor.safetensors'), '--env', module, '--episodes', '2', '--json'], folder)
  assert.equal(JSON.parse(played.out).returns.length, 2)
})

test('a damaged newest checkpoint is passed over, which is said', async () => {
  const copy = at('passed-over')
  cpSync(data, copy, { recursive: true })
  const newest = readdirSync(join(copy, 'checkpoints'))
    .filter((name) => /^\d/.test(name))
    .sort()
    .at(-1)!
  writeFileSync(join(copy, 'checkpoints', newest), 'damaged')
  const { code, out, err } = await grapevine('eval', copy, '--of', 'self', '--episodes', '1')
  assert.equal(code, 0)
  assert.equal(err, `grapevine: The checkpoint checkpoints/${newest} cannot be used (it has no checksum); an older one is taken.\n`)
  assert.doesNotMatch(out, new RegExp(newest))
})
