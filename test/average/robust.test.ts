import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { broadcastDelta } from '../../src/average/broadcast.ts'
import { squaredDistance, sumOfSquares } from '../../src/average/distance.ts'
import { CLIP_FACTOR, CLIP_PATIENCE_MIXES, MAX_CLIP_BOOST } from '../../src/average/limits.ts'
import {
  afterMix,
  afterUpdates,
  type ClipState,
  clipFactor,
  clipRadius,
  crowdFactor,
  farReach,
  NEW_CLIP_STATE,
} from '../../src/average/robust.ts'

const moved = afterUpdates(NEW_CLIP_STATE, 2)

function mixes(state: ClipState, count: number, authors: readonly string[], factor: number): ClipState {
  let next = state
  for (let i = 0; i < count; i++) {
    next = afterMix(
      next,
      authors,
      authors.map(() => factor),
    )
  }
  return next
}

test('a difference is scaled to the radius, and only when it is longer', () => {
  assert.equal(clipFactor(3, 4), 1)
  assert.equal(clipFactor(8, 4), 0.5)
  assert.equal(clipFactor(8, Number.POSITIVE_INFINITY), 1)
  assert.equal(clipFactor(0, 0), 1)
  assert.equal(clipFactor(Number.NaN, 4), 0)
  assert.equal(clipFactor(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY), 0)
})

test('the radius follows our own moves', () => {
  assert.equal(clipRadius(NEW_CLIP_STATE), Number.POSITIVE_INFINITY)
  assert.equal(clipRadius(moved), CLIP_FACTOR * 2)
  // A long move counts at once, and no more once it is one of five; a short one not before it is one of three.
  const after = (...norms: readonly number[]) => norms.reduce(afterUpdates, NEW_CLIP_STATE)
  assert.equal(clipRadius(after(2, 2, 12)), CLIP_FACTOR * 12)
  assert.equal(clipRadius(after(12, 2)), CLIP_FACTOR * 7)
  assert.equal(clipRadius(after(12, 2, 2)), CLIP_FACTOR * 2)
  assert.equal(clipRadius(after(2, 2, 2, 2, 12, 1)), CLIP_FACTOR * 2)
  assert.equal(clipRadius(after(9, 9, 9, 9, 9, 1, 1)), CLIP_FACTOR * 9)
  assert.equal(clipRadius(after(9, 9, 9, 9, 9, 1, 1, 1)), CLIP_FACTOR * 1)
  for (const nothing of [0, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(afterUpdates(moved, nothing), moved)
})

test('beside a crowd a difference counts in full to three medians, or our own last move, and less the farther it is', () => {
  const crowd = [1, 2, 1_000]
  assert.deepEqual(
    [6, 12, 60].map((norm) => crowdFactor(norm, crowd, 1)),
    [1, 0.25, 0.01],
  )
  assert.deepEqual(
    [7, 14].map((norm) => crowdFactor(norm, [...crowd, Number.NaN, Number.POSITIVE_INFINITY], 7)),
    [1, 0.25],
  )
  assert.equal(crowdFactor(Number.POSITIVE_INFINITY, crowd, 1), 0)
  for (const few of [[], [1], [1, 2], [1, 2, Number.NaN]]) assert.equal(crowdFactor(1e9, few, 1), 1)
})

test('far begins where radius or crowd leave 0.35', () => {
  // 7 / 0.35; beside a crowd with a median of 2, 6 / sqrt(0.35), or our own last move over that.
  assert.equal(farReach(7, [1, 2], 0), 20)
  for (const [radius, others, moved, reach] of [
    [7, [1, 2, 3], 0, 6 / Math.sqrt(0.35)],
    [7, [1, 2, 3], 9, 9 / Math.sqrt(0.35)],
    [7, [1, 2, 3], 90, 20],
    [Number.POSITIVE_INFINITY, [1, 2, 3], 0, 6 / Math.sqrt(0.35)],
    [Number.POSITIVE_INFINITY, [1, 2, Number.NaN], 0, Number.POSITIVE_INFINITY],
  ] as const) {
    assert.equal(farReach(radius, others, moved), reach)
    if (!Number.isFinite(reach)) continue
    const factor = Math.min(clipFactor(reach, radius), crowdFactor(reach, others, moved))
    assert.ok(Math.abs(factor - 0.35) < 1e-12, String(factor))
  }
})

test('the radius doubles after ten mixes of two authors clipped whole, up to a cap, and comes back', () => {
  const patient = mixes(moved, CLIP_PATIENCE_MIXES - 1, ['a', 'b'], 0.1)
  assert.equal(clipRadius(patient), clipRadius(moved))
  const doubled = mixes(patient, 1, ['a'], 0.1)
  assert.equal(clipRadius(doubled), 2 * clipRadius(moved))
  const widest = mixes(moved, 100 * CLIP_PATIENCE_MIXES, ['a', 'b'], 0.1)
  assert.equal(clipRadius(widest), MAX_CLIP_BOOST * clipRadius(moved))
  assert.equal(clipRadius(mixes(widest, 10, ['a', 'b'], 1)), clipRadius(moved))
})

test('one stranger alone, or one whose difference is not clipped, never widens it', () => {
  assert.equal(clipRadius(mixes(moved, 1000, ['a'], 0.1)), clipRadius(moved))
  let state = moved
  for (let i = 0; i < 1000; i++) state = afterMix(state, ['a', 'b'], [0.1, i % 5 === 0 ? 1 : 0.1])
  assert.equal(clipRadius(state), clipRadius(moved))
})

test('one author moves us by at most weight times radius, whatever he sends', () => {
  const vector = fc.float32Array({ minLength: 6, maxLength: 6, noNaN: true, min: -Math.fround(1e15), max: Math.fround(1e15) })
  const property = fc.property(vector, vector, vector, (mine, honest, hostile) => {
    const radius = 0.5
    const factor = (theirs: Float32Array) => clipFactor(Math.sqrt(squaredDistance(theirs, mine)), radius)
    const withHostile = new Float32Array(6)
    broadcastDelta([honest, hostile], mine, withHostile, [factor(honest), factor(hostile)])
    const without = new Float32Array(6)
    broadcastDelta([honest, mine], mine, without, [factor(honest), 1])
    const moved = Math.sqrt(sumOfSquares(withHostile.map((value, i) => value - without[i]!)))
    assert.ok(moved <= (radius / 3) * 1.000001, String(moved))
  })
  fc.assert(property, { numRuns: 500, seed: 9 })
})
