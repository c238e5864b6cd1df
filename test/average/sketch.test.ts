import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactConsensusDistance } from '../../src/average/distance.ts'
import { consensusDistance, median, medianSketch, Sketcher } from '../../src/average/sketch.ts'
import { seededRandom } from '../../src/util/random.ts'
import { SKETCH_BUCKETS } from '../../src/wire/limits.ts'

/** A standard normal vector (Box-Muller). */
function normal(length: number, ...key: (string | number)[]): Float32Array {
  const random = seededRandom(...key)
  return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()))
}

/** Replicas that went `way` from `initial` together and `apart` from each other. */
function swarm(seed: number, n: number, dimension: number, way: number, apart: number) {
  const initial = normal(dimension, 'initial', seed).map((value) => 0.1 * value)
  const common = normal(dimension, 'way', seed)
  const replicas = Array.from({ length: n }, (_, peer) => {
    const own = normal(dimension, 'own', seed, peer)
    return initial.map((value, i) => value + way * common[i]! + apart * own[i]!)
  })
  return { initial, replicas }
}

test('a sketch is linear, zero for the initial parameters, and the same for everyone of a run', () => {
  const { initial, replicas } = swarm(1, 2, 1000, 0.1, 0.1)
  const sketcher = new Sketcher('run', initial)
  assert.ok(sketcher.sketch(initial).every((value) => value === 0))
  const [a, b] = replicas.map((replica) => sketcher.sketch(replica))
  const both = sketcher.sketch(initial.map((value, i) => replicas[0]![i]! + replicas[1]![i]! - value))
  both.forEach((value, i) => {
    assert.ok(Math.abs(value - a![i]! - b![i]!) < 1e-5)
  })
  assert.deepEqual(new Sketcher('run', initial).sketch(replicas[0]!), a)
  assert.notDeepEqual(new Sketcher('other', initial).sketch(replicas[0]!), a)
})

test('one changed coordinate changes one bucket by as much', () => {
  const initial = new Float32Array(5000)
  const sketch = new Sketcher('run', initial).sketch(initial.map((value, i) => (i === 4321 ? 0.5 : value)))
  assert.deepEqual([...sketch].filter((value) => value !== 0).map(Math.abs), [0.5])
})

test('coordinates spread evenly over buckets and signs', () => {
  const counts = new Map<string, number>()
  const initial = new Float32Array(2560)
  const sketcher = new Sketcher('run', initial)
  for (let i = 0; i < initial.length; i++) {
    initial[i] = 1
    const sketch = sketcher.sketch(initial)
    initial[i] = 0
    const bucket = sketch.findIndex((value) => value !== 0)
    const key = `${bucket} ${sketch[bucket]}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  // Pearson's chi-squared with 511 degrees of freedom: mean 511, standard deviation 32.
  const expected = initial.length / (2 * SKETCH_BUCKETS)
  let chi = 0
  for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
    for (const sign of [1, -1]) chi += ((counts.get(`${bucket} ${sign}`) ?? 0) - expected) ** 2 / expected
  }
  assert.ok(Math.abs(chi - 511) < 4 * 32, String(chi))
})

for (const n of [2, 3, 8, 16]) {
  test(`the estimated consensus distance of ${n} replicas has an error of at most 10 % (RMS over seeds)`, () => {
    const seeds = 40
    let squaredError = 0
    let squaredRelativeError = 0
    for (let seed = 0; seed < seeds; seed++) {
      const { initial, replicas } = swarm(seed, n, 2000, 0.05, 0.01)
      const sketcher = new Sketcher(`run ${seed}`, initial)
      const sketches = replicas.map((replica) => sketcher.sketch(replica))
      const exact = exactConsensusDistance(replicas)
      squaredError += (consensusDistance(sketches, sketcher.dimension) / exact.distance - 1) ** 2
      squaredRelativeError += (sketcher.relativeConsensusDistance(sketches)! / exact.relative! - 1) ** 2
    }
    assert.ok(Math.sqrt(squaredError / seeds) < 0.06, String(Math.sqrt(squaredError / seeds)))
    assert.ok(Math.sqrt(squaredRelativeError / seeds) < 0.1, String(Math.sqrt(squaredRelativeError / seeds)))
  })
}

test('equal replicas are at distance 0, and a zero swarm has no relative distance', () => {
  const initial = new Float32Array(100)
  const sketcher = new Sketcher('run', initial)
  const sketch = sketcher.sketch(initial.map(() => 1))
  assert.equal(consensusDistance([sketch, sketch], 100), 0)
  assert.equal(consensusDistance([sketch], 100), 0)
  assert.equal(sketcher.relativeConsensusDistance([sketcher.sketch(initial)]), null)
})

test('a minority of invented sketches hardly moves the estimate', () => {
  const { initial, replicas } = swarm(5, 8, 2000, 0.05, 0.01)
  const sketcher = new Sketcher('run', initial)
  const honest = replicas.map((replica) => sketcher.sketch(replica))
  const before = consensusDistance(honest, sketcher.dimension)
  const invented = [1e30, -1e6, 10].map((value) => new Float32Array(SKETCH_BUCKETS).fill(value))
  const after = consensusDistance([...honest, ...invented], sketcher.dimension)
  assert.ok(Math.abs(after / before - 1) < 0.02, `${before} ${after}`)
  assert.ok(
    Math.abs(sketcher.relativeConsensusDistance([...honest, ...invented])! / sketcher.relativeConsensusDistance(honest)! - 1) < 0.02,
  )
})

test('medians', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.ok(Number.isNaN(median([])))
  const rows = [1, 5, 2].map((value) => new Float32Array(SKETCH_BUCKETS).fill(value))
  assert.ok(medianSketch(rows).every((value) => value === 2))
})

test('a vector of another length is refused', () => {
  assert.throws(() => new Sketcher('run', new Float32Array(3)).sketch(new Float32Array(4)), { code: 'shape' })
})
