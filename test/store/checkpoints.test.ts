import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { type CheckpointFacts, checkpointFile, decodeCheckpoint } from '../../src/store/checkpoint-file.ts'
import { CheckpointWriter, listCheckpoints, loadBest, loadCheckpoint } from '../../src/store/checkpoints.ts'
import { KEPT_CHECKPOINTS } from '../../src/store/limits.ts'
import { sealTensors, vectors } from '../../src/wire/sealed-tensors.ts'
import { refusal } from '../support/refusal.ts'

const RUN = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)

function facts(changes: Partial<CheckpointFacts> = {}): CheckpointFacts {
  return {
    run: RUN,
    peer: 'somebody',
    incarnation: 1_700_000_000,
    savedAtUnixSeconds: 1_700_000_100,
    version: 7,
    steps: 100,
    updates: 5,
    episodes: 100,
    returnMean: null,
    evaluation: null,
    ...changes,
  }
}

const MANIFEST = Uint8Array.of(1, 2, 250)

function sealed(changes: Partial<CheckpointFacts> = {}): Uint8Array {
  return sealTensors(checkpointFile({ facts: facts(changes), manifestBytes: MANIFEST, state: { parameters: Float32Array.of(1, 2) } }))
}

/** Writes checkpoints with these steps, one after the other. */
async function stored(...steps: readonly number[]) {
  const storage = new MemoryStorage()
  const writer = new CheckpointWriter(storage, RUN)
  for (const step of steps) await writer.write(sealed({ steps: step }), facts({ steps: step }))
  return { storage, writer }
}

test('a checkpoint comes back as it was', async () => {
  const { storage } = await stored(100)
  const { name, damaged, ...checkpoint } = await loadCheckpoint(storage, 'here')
  assert.equal(name, 'checkpoints/00000001-abababababababab.safetensors')
  assert.deepEqual(damaged, [])
  assert.deepEqual(checkpoint, { facts: facts(), manifestBytes: MANIFEST, state: { parameters: Float32Array.of(1, 2) } })
})

test('the last are kept, and numbers go on across runs and restarts', async () => {
  const { storage } = await stored(1, 2, 3, 4, 5)
  assert.deepEqual(
    (await listCheckpoints(storage)).map(({ number }) => number),
    [5, 4, 3],
  )
  assert.equal(KEPT_CHECKPOINTS, 3)
  await new CheckpointWriter(storage, OTHER).write(sealed({ run: OTHER }), facts({ run: OTHER }))
  assert.deepEqual(
    (await listCheckpoints(storage)).map(({ number, run }) => [number, run.slice(0, 2)]),
    [
      [6, 'cd'],
      [5, 'ab'],
      [4, 'ab'],
      [3, 'ab'],
    ],
  )
  assert.equal((await loadCheckpoint(storage, 'here')).facts.run, OTHER)
})

test('a damaged one falls back to the one before, which says so', async () => {
  const damages: readonly [RegExp, (bytes: Uint8Array) => Uint8Array][] = [
    [/checksum/, (bytes) => bytes.map((byte, i) => (i === bytes.length - 3 ? byte ^ 64 : byte))],
    [/checksum/, (bytes) => bytes.subarray(0, bytes.length - 1)],
    [/no checksum/, () => new Uint8Array(0)],
    [/no checksum/, () => new TextEncoder().encode('somebody else wrote this')],
    [/"nothing" where/, () => sealTensors({ tensors: {}, metadata: {} })],
    [/header cannot be used/, () => sealTensors({ tensors: vectors({}), metadata: { format: 'grapevine checkpoint 1', header: '{}' } })],
    [/of another run/, () => sealed({ run: OTHER })],
  ]
  for (const [problem, damage] of damages) {
    const { storage } = await stored(1, 2)
    const newest = 'checkpoints/00000002-abababababababab.safetensors'
    storage.files.set(newest, damage(storage.files.get(newest)!))
    const loaded = await loadCheckpoint(storage, 'here')
    assert.equal(loaded.facts.steps, 1)
    assert.equal(loaded.damaged.length, 1)
    assert.equal(loaded.damaged[0]!.name, newest)
    assert.match(loaded.damaged[0]!.problem, problem)
  }
})

test('none, or none whole of the last run, is an error and no fresh start', async () => {
  assert.equal(refusal(() => decodeCheckpoint(new Uint8Array(3))).message, 'A checkpoint cannot be used: it has no checksum.')
  await assert.rejects(loadCheckpoint(new MemoryStorage(), '/data'), {
    code: 'no_checkpoint',
    message: 'There is no checkpoint in /data; name the data folder of a run that has trained.',
  })
  const { storage, writer } = await stored(1, 2)
  for (const name of storage.files.keys()) storage.files.set(name, new Uint8Array(3))
  // An older run's are no substitute.
  await new CheckpointWriter(storage, OTHER).write(sealed({ run: OTHER }), facts({ run: OTHER }))
  await writer.write(new Uint8Array(1), facts())
  await assert.rejects(loadCheckpoint(storage, '/data'), {
    code: 'bad_checkpoint',
    message: /in \/data is whole: .*00000004-ab.*00000002-ab.*00000001-ab/,
  })
})

test('foreign names in the folder are left alone', async () => {
  const { storage } = await stored(1)
  storage.files.set('checkpoints/notes.txt', new Uint8Array(1))
  storage.files.set('checkpoints/99999999-xyz.safetensors', new Uint8Array(1))
  assert.equal((await loadCheckpoint(storage, 'here')).facts.steps, 1)
  assert.ok(storage.files.has('checkpoints/notes.txt'))
})

test('the best stays: by evaluation, and before there is one by the returns of training', async () => {
  const storage = new MemoryStorage()
  const save = async (steps: number, changes: Partial<CheckpointFacts>) =>
    new CheckpointWriter(storage, RUN).write(sealed({ steps, ...changes }), facts({ steps, ...changes }))
  const best = async () => (await loadBest(storage))?.facts.steps ?? null
  const evaluated = (mean: number) => ({ evaluation: { mean, episodes: 20 } })
  assert.equal(await best(), null)
  await save(1, {})
  assert.equal(await best(), null)
  await save(2, { returnMean: 400, episodes: 99 })
  assert.equal(await best(), null)
  await save(2, { returnMean: 50 })
  await save(3, { returnMean: 40 })
  assert.equal(await best(), 2)
  await save(4, { returnMean: 40, ...evaluated(30) })
  assert.equal(await best(), 4)
  await save(5, { returnMean: 90 })
  await save(6, { returnMean: 90, ...evaluated(29) })
  assert.equal(await best(), 4)
  await save(7, evaluated(31))
  await save(8, {})
  assert.equal(await best(), 7)
  storage.files.set('checkpoints/best-abababababababab.safetensors', new Uint8Array(9))
  await assert.rejects(loadBest(storage), { code: 'bad_checkpoint', message: /best.* --of self takes the newest\.$/ })
})
