import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactConsensusDistance, meanOf, relativeDistance, squaredDistance } from '../../src/average/distance.ts'

test('distances of replicas worked out by hand', () => {
  const replicas = [Float32Array.of(1, 2), Float32Array.of(3, 6)]
  assert.deepEqual([...meanOf(replicas)], [2, 4])
  // Deviations 1, 2, 1, 2: mean square 10/4; mean square of the mean (4 + 16)/2.
  const { distance, relative } = exactConsensusDistance(replicas)
  assert.equal(distance, Math.sqrt(2.5))
  assert.equal(relative, Math.sqrt(0.25))
  assert.equal(squaredDistance(replicas[0]!, replicas[1]!), 20)
  assert.equal(relativeDistance(Float32Array.of(3, 4), Float32Array.of(0, 4)), 0.75)
})

test('nothing is divided by zero', () => {
  assert.equal(relativeDistance(Float32Array.of(1), Float32Array.of(0)), null)
  assert.deepEqual(exactConsensusDistance([Float32Array.of(1), Float32Array.of(-1)]), { distance: 1, relative: null })
})

test('different lengths are refused', () => {
  assert.throws(() => relativeDistance(new Float32Array(2), new Float32Array(3)), { code: 'shape' })
  assert.throws(() => exactConsensusDistance([new Float32Array(2), new Float32Array(3)]), { code: 'shape' })
})
