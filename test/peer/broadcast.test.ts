import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecNamed } from '../../src/average/codecs.ts'
import { Authors } from '../../src/peer/authors.ts'
import { NO_CLIP } from '../../src/peer/clip.ts'
import type { OwnFrame } from '../../src/peer/frames.ts'
import type { Standing } from '../../src/peer/own-moves.ts'
import { broadcast } from '../../src/peer/strategies/broadcast.ts'
import type { StrategyContext } from '../../src/peer/strategies/strategy.ts'

/** What a round at 200 ms adds to our [10, 20], where `theirs` came at `cameAtMs`, the last mix had left us as `last` and rounds came `before`. */
async function mixed(
  theirs: readonly number[],
  cameAtMs: number,
  last: Standing | null,
  before = [-100, 0, 100],
  codec = 'f32',
): Promise<Float32Array> {
  const authors = new Authors()
  let nowMs = 0
  let takenAtMs = 0
  let deliver: (author: string, bytes: Uint8Array) => unknown = assert.fail
  const added: Float32Array[] = []
  const mine = Float32Array.of(10, 20)
  const own = { mine, mineFor: () => mine, norm: 1, epoch: 1, moved: 1, bytes: new Uint8Array(1), lastMix: async () => last }
  const context = {
    network: {
      id: 'me',
      subscribe: (_topic: string, _bytes: number, validator: typeof deliver) => (deliver = validator),
      subscribers: () => ['you'],
      publish: async () => 1,
    },
    authors,
    clock: { now: () => nowMs },
    run: { id: 'run', parameterCount: 2, normaliserSizes: [] },
    codec: codecNamed(codec, { run: 'run', slices: [2], moments: [] }),
    clip: NO_CLIP,
    robust: 'none',
    rule: 'all',
    ownFrame: async () => ({ ...own, snapshot: { parameters: mine, takenAtMs } }) as unknown as OwnFrame,
    receive: (id: string) => ({
      ok: true,
      author: authors.hear(id, nowMs),
      frame: { normalisers: [], version: 0, epoch: 1 },
      parameters: Float32Array.from(theirs),
      moments: null,
      distance: 0,
    }),
    apply: async (delta: Float32Array) => void added.push(delta),
  }
  const running = broadcast.start(context as unknown as StrategyContext)!
  for (takenAtMs of before) await running.round({})
  nowMs = cameAtMs
  assert.equal(deliver('you', new Uint8Array(1)), 'accept')
  nowMs = 205
  takenAtMs = 200
  await running.round({})
  assert.equal(added.length, 1)
  return added[0]!
}

test('a snapshot that waited is compared with where we were when it came', async () => {
  const last = { parameters: Float32Array.of(0, 0), takenAtMs: 100 }
  // Half of our way ago they stood where we did.
  assert.deepEqual(await mixed([5, 10], 150, last), Float32Array.of(0, 0))
  assert.deepEqual(await mixed([7, 10], 150, last), Float32Array.of(1, 0))
  assert.deepEqual(await mixed([5, 10], 175, last), Float32Array.of(-1.25, -2.5))
})

test('one of after our own snapshot, as in lock step, or before our first mix, as it is', async () => {
  const last = { parameters: Float32Array.of(0, 0), takenAtMs: 100 }
  assert.deepEqual(await mixed([7, 10], 202, last), Float32Array.of(-1.5, -5))
  assert.deepEqual(await mixed([7, 10], 150, null), Float32Array.of(-1.5, -5))
  assert.deepEqual(await mixed([7, 10], 150, { ...last, takenAtMs: Number.NEGATIVE_INFINITY }), Float32Array.of(-1.5, -5))
})

test('and so is one where rounds do not come evenly, or too few have come to tell', async () => {
  const last = { parameters: Float32Array.of(0, 0), takenAtMs: 100 }
  assert.deepEqual(await mixed([7, 10], 150, last, [-50, 50, 100]), Float32Array.of(1, 0))
  assert.deepEqual(await mixed([7, 10], 150, last, [-51, 59, 100]), Float32Array.of(-1.5, -5))
  assert.deepEqual(await mixed([7, 10], 150, last, [0, 100]), Float32Array.of(-1.5, -5))
  assert.deepEqual(await mixed([7, 10], 150, last, undefined, 'subset:0.5'), Float32Array.of(-1.5, -5))
})
