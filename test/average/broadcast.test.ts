import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broadcastDelta } from '../../src/average/broadcast.ts'
import { exactConsensusDistance, meanOf } from '../../src/average/distance.ts'
import { seededRandom } from '../../src/util/random.ts'

function randomReplicas(n: number, dimension: number, seed: number): Float32Array[] {
  const random = seededRandom('replicas', seed)
  return Array.from({ length: n }, () => Float32Array.from({ length: dimension }, () => 2 * random.uniform() - 1))
}

/** One round in lock step: everyone publishes, then mixes what `heardBy` says it heard. */
function round(replicas: readonly Float32Array[], heardBy: (peer: number) => readonly number[]): Float32Array[] {
  return replicas.map((mine, peer) => {
    const delta = new Float32Array(mine.length)
    broadcastDelta(
      heardBy(peer).map((other) => replicas[other]!),
      mine,
      delta,
    )
    return mine.map((value, i) => value + delta[i]!)
  })
}

test('two snapshots against mine, worked out by hand', () => {
  const out = Float32Array.of(9, 9)
  // ((4 - 1) + (7 - 1)) / 3 and ((2 - 2) + (-4 - 2)) / 3
  broadcastDelta([Float32Array.of(4, 2), Float32Array.of(7, -4)], Float32Array.of(1, 2), out)
  assert.deepEqual([...out], [3, -2])
})

test('factors scale differences, and one of 0 leaves out what is not finite', () => {
  const out = new Float32Array(1)
  broadcastDelta([Float32Array.of(4), Float32Array.of(7)], Float32Array.of(1), out, [0.5, 1])
  assert.deepEqual([...out], [2.5])
  broadcastDelta([Float32Array.of(4), Float32Array.of(Number.NaN)], Float32Array.of(1), out, [1, 0])
  assert.deepEqual([...out], [1])
})

test('wrong lengths and an empty round are refused', () => {
  const three = new Float32Array(3)
  assert.throws(() => broadcastDelta([], three, three), { code: 'shape' })
  assert.throws(() => broadcastDelta([new Float32Array(2)], three, three), { code: 'shape' })
  assert.throws(() => broadcastDelta([three], three, new Float32Array(4)), { code: 'shape' })
})

test('on a full view one round reaches the average and keeps the mean', () => {
  const before = randomReplicas(8, 50, 1)
  const after = round(before, (peer) => [...before.keys()].filter((other) => other !== peer))
  const mean = meanOf(before)
  assert.ok(exactConsensusDistance(after).distance < 1e-6 * exactConsensusDistance(before).distance)
  meanOf(after).forEach((value, i) => {
    assert.ok(Math.abs(value - mean[i]!) < 1e-6)
  })
})

for (const n of [8, 16]) {
  test(`on a ring of ${n} the squared distance shrinks by (1/3 + 2/3 cos(2 pi / n))^2 a round`, () => {
    // Enough rounds first that only the slowest mode is left; float32 rounding stays far below what is measured.
    const settle = n
    const rounds = 2 * n
    let replicas = randomReplicas(n, 400, n)
    const mean = meanOf(replicas)
    const step = () => {
      replicas = round(replicas, (peer) => [(peer + 1) % n, (peer + n - 1) % n])
    }
    for (let i = 0; i < settle; i++) step()
    const before = exactConsensusDistance(replicas).distance ** 2
    for (let i = 0; i < rounds; i++) step()
    const after = exactConsensusDistance(replicas).distance ** 2
    const measured = -Math.log(after / before) / rounds
    const law = -2 * Math.log(1 / 3 + (2 / 3) * Math.cos((2 * Math.PI) / n))
    assert.ok(Math.abs(measured / law - 1) < 0.03, `${measured} where the law says ${law}`)
    meanOf(replicas).forEach((value, i) => {
      assert.ok(Math.abs(value - mean[i]!) < 1e-5)
    })
  })
}
