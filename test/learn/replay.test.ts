import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_REPLAY_BYTES } from '../../src/learn/limits.ts'
import { importanceWeights, PrioritisedReplay, priorityOf, type ReplayOptions, replayBatch, replayBytes } from '../../src/learn/replay.ts'
import { seededRandom } from '../../src/util/random.ts'
import { assertClose } from './helpers.ts'

function replayOf(changes: Partial<ReplayOptions> = {}): PrioritisedReplay {
  return new PrioritisedReplay({ capacity: 8, observationSize: 2, bytes: false, alpha: 1, ...changes })
}

/** Stores [value, -value] and returns its slot. */
const push = (replay: PrioritisedReplay, value: number) => replay.push(Float32Array.of(9, 9, value, -value), 1)

/** How often each slot is drawn in 1,000 draws. */
function shares(replay: PrioritisedReplay, capacity = 8): number[] {
  const batch = replayBatch(1_000, 2)
  replay.sample(seededRandom('shares'), 0.4, batch)
  const counts = new Array<number>(capacity).fill(0)
  for (const slot of batch.slots) counts[slot]!++
  return counts
}

test('importance weights of the reference', () => {
  const weights = new Float32Array(4)
  importanceWeights(Float64Array.of(0.5, 1, 0.5, 0.5), 0.4, weights)
  assertClose(weights, [1, 0.75785828, 1, 1])

  const priorities = Float64Array.from([2, -1, 0.5, -0.1], (tdError) => priorityOf(tdError, 0.6))
  const total = priorities.reduce((sum, priority) => sum + priority)
  assertClose(
    priorities.map((priority) => priority / total),
    [0.44233041, 0.29182932, 0.19253567, 0.07330461],
    1e-7,
    0,
  )
  importanceWeights(priorities, 0.4, weights)
  assertClose(weights, [0.48725218, 0.57544118, 0.67959165, 1])
})

test('alpha 0 draws uniformly, beta 0 weighs uniformly', () => {
  assert.equal(priorityOf(0, 0), 1)
  assert.equal(priorityOf(1e9, 0), 1)
  const weights = new Float32Array(2)
  importanceWeights(Float64Array.of(1, 7), 0, weights)
  assert.deepEqual(weights, Float32Array.of(1, 1))
})

test('a transition comes back with both observations, drawn by its error', () => {
  const replay = replayOf()
  const slots = [1, 2, 3].map((value) => push(replay, value))
  assert.equal(replay.ready, false)
  replay.transition(slots[0]!, 5, 1.5, 0.81, slots[2]!, -3)
  replay.transition(slots[1]!, 6, 2.5, 0, slots[1]!, 1)
  assert.equal(replay.ready, true)
  assert.deepEqual(shares(replay), [750, 250, 0, 0, 0, 0, 0, 0])

  const batch = replayBatch(4, 2)
  replay.sample(seededRandom('draw'), 1, batch)
  assert.deepEqual(batch.slots, Int32Array.of(0, 0, 0, 1))
  assert.deepEqual(batch.actions, Int32Array.of(5, 5, 5, 6))
  assert.deepEqual(batch.rewards, Float32Array.of(1.5, 1.5, 1.5, 2.5))
  assert.deepEqual(batch.discounts, Float32Array.of(0.81, 0.81, 0.81, 0))
  assert.deepEqual(batch.observations, Float32Array.of(1, -1, 1, -1, 1, -1, 2, -2))
  assert.deepEqual(batch.nextObservations, Float32Array.of(3, -3, 3, -3, 3, -3, 2, -2))
  assertClose(batch.weights, [1 / 3, 1 / 3, 1 / 3, 1])
  // Three observations in all: slot 0 is two pushes old, slot 1 one.
  assert.equal(replay.meanAge(batch.slots), (2 + 2 + 2 + 1) / 4)
})

test('new errors replace the priorities', () => {
  const replay = replayOf()
  for (let i = 0; i < 2; i++) replay.transition(push(replay, i), 0, 0, 0, i, 1)
  replay.update(Int32Array.of(1, 0), Float32Array.of(-4, 1))
  assert.deepEqual(shares(replay).slice(0, 2), [200, 800])
})

test('the oldest observation is overwritten, and its transition with it', () => {
  const replay = replayOf({ capacity: 3 })
  for (let i = 0; i < 3; i++) replay.transition(push(replay, i), i, 0, 0, i, 1)
  assert.equal(replay.size, 3)
  const slot = push(replay, 7)
  assert.equal(slot, 0)
  assert.equal(replay.size, 3)
  assert.deepEqual(shares(replay, 3), [0, 500, 500])
  replay.transition(slot, 9, 0, 0, slot, 2)
  assert.deepEqual(shares(replay, 3), [500, 250, 250])
})

test('a reward that is not finite, in float32 either, is left out and counted; an error that is not is as large as the largest', () => {
  const replay = replayOf()
  const [a, b, c, d] = [1, 2, 3, 4].map((value) => push(replay, value)) as [number, number, number, number]
  replay.transition(a, 0, Number.POSITIVE_INFINITY, 0, a, 1)
  replay.transition(b, 0, 1e300, 0, b, 1)
  assert.deepEqual([replay.refused, replay.ready], [2, false])
  replay.transition(c, 0, 0, 0, c, 3)
  replay.transition(d, 0, 0, 0, d, Number.NaN)
  assert.deepEqual(shares(replay).slice(2, 4), [500, 500])
})

test('bytes hold whole numbers up to 255 and refuse the rest', () => {
  const replay = replayOf({ bytes: true })
  const slot = replay.push(Float32Array.of(0, 255), 0)
  replay.transition(slot, 0, 0, 0, slot, 1)
  const batch = replayBatch(1, 2)
  replay.sample(seededRandom('bytes'), 0, batch)
  assert.deepEqual(batch.observations, Float32Array.of(0, 255))
  for (const value of [0.5, -1, 256, Number.NaN]) {
    assert.throws(() => replay.push(Float32Array.of(0, value), 0), { code: 'observation' })
  }
})

test('the memory is known beforehand, and too much of it refused before it is taken', () => {
  assert.equal(replayBytes({ capacity: 1_000, observationSize: 4, bytes: false }), 1_000 * (16 + 16) + 2 * 1024 * 8)
  assert.equal(replayBytes({ capacity: 1_000, observationSize: 4, bytes: true }), 1_000 * (4 + 16) + 2 * 1024 * 8)
  const options = { capacity: 100_000_000, observationSize: 1_000_000, bytes: false }
  assert.ok(replayBytes(options) > MAX_REPLAY_BYTES)
  assert.throws(() => replayOf(options), { code: 'replay_memory', message: /over the bound of 2048 MiB; lower replayCapacity/ })
})

test('the memory takes what is said beforehand, in shared buffers, and no more however much passes through it', () => {
  const plain = globalThis.SharedArrayBuffer
  let taken = 0
  globalThis.SharedArrayBuffer = class extends plain {
    constructor(bytes: number) {
      super(bytes)
      taken += bytes
    }
  } as typeof SharedArrayBuffer
  try {
    for (const bytes of [false, true]) {
      taken = 0
      const options = { capacity: 100, observationSize: 2, bytes, alpha: 0.6 }
      const replay = new PrioritisedReplay(options)
      for (let i = 0; i < 1_000; i++) {
        const slot = replay.push(Float32Array.of(i % 256, 1), 0)
        replay.transition(slot, 0, 1, 0, slot, i)
      }
      const batch = replayBatch(50, 2)
      replay.sample(seededRandom('bound'), 0.4, batch)
      replay.update(batch.slots, new Float32Array(50).fill(3))
      assert.equal(replay.size, 100)
      assert.equal(taken, replayBytes(options))
    }
  } finally {
    globalThis.SharedArrayBuffer = plain
  }
})
