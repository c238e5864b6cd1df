import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SumTree } from '../../src/learn/sum-tree.ts'
import { seededRandom } from '../../src/util/random.ts'
import { assertClose } from './helpers.ts'

/** A tree with these leaves from 0 on. */
function treeOf(priorities: readonly number[]): SumTree {
  const tree = new SumTree(priorities.length)
  for (const [index, priority] of priorities.entries()) tree.set(index, priority)
  return tree
}

// Dopamine's facts on its sum tree.
test('the capacity is rounded up to a power of two', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 1000].map((capacity) => new SumTree(capacity)).map(({ capacity, levels }) => [capacity, levels]),
    [
      [1, 1],
      [2, 2],
      [4, 3],
      [4, 3],
      [8, 4],
      [1024, 11],
    ],
  )
  assert.equal(SumTree.bytes(1000), 2 * 1024 * 8)
})

test('what cannot be is refused', () => {
  for (const capacity of [-1, 0, 1.5, Number.NaN]) assert.throws(() => new SumTree(capacity), { code: 'shape' })
  const tree = new SumTree(4)
  for (const priority of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const message = `A priority must be a finite number of at least 0, but ${priority} was given.`
    assert.throws(() => tree.set(0, priority), { code: 'priority', message })
  }
  for (const index of [-1, 4, 0.5]) assert.throws(() => tree.set(index, 1), { code: 'shape' })
  assert.throws(() => tree.get(4), { code: 'shape', message: 'Leaf 4 was asked of a sum tree with 4 leaves.' })
  assert.throws(() => tree.find(0.5), { code: 'replay_empty', message: 'Nothing can be drawn from a sum tree whose priorities are all 0.' })
  tree.set(0, 1)
  for (const query of [-0.1, 1.1, Number.NaN]) assert.throws(() => tree.find(query), { code: 'query' })
})

test('a query finds the leaf in which its fraction of the total falls', () => {
  const tree = new SumTree(100)
  tree.set(2, 1)
  tree.set(3, 3)
  assert.deepEqual(
    [0, 0.1, 0.2499, 0.25, 0.9, 1].map((query) => tree.find(query)),
    [2, 2, 2, 3, 3, 3],
  )
})

test('a single leaf is always found', () => {
  const tree = new SumTree(100)
  tree.set(5, 1)
  const random = seededRandom('single')
  for (let i = 0; i < 100; i++) assert.equal(tree.find(random.uniform()), 5)
})

test('stratified draws from equal leaves give each in order', () => {
  const tree = treeOf(new Array(32).fill(1))
  const indices = new Int32Array(32)
  tree.sample(seededRandom('equal'), indices)
  assert.deepEqual(
    indices,
    Int32Array.from({ length: 32 }, (_, i) => i),
  )
})

test('the largest priority starts at 1 and only grows', () => {
  const tree = new SumTree(4)
  const seen = [0.1, 5, 2, 0].map((priority) => {
    tree.set(1, priority)
    return tree.largest
  })
  assert.deepEqual(seen, [1, 5, 5, 5])
})

test('sums follow every change of a leaf', () => {
  const tree = treeOf([0.5, 1, 0.5, 0.5])
  assert.equal(tree.total, 2.5)
  assert.deepEqual(
    [0, 0.199, 0.2, 0.599, 0.6, 0.799, 0.8].map((query) => tree.find(query)),
    [0, 0, 1, 1, 2, 2, 3],
  )
  tree.set(1, 0)
  assert.equal(tree.total, 1.5)
  assert.equal(tree.get(1), 0)
})

test('leaves of priority 0 are never drawn, and sums are exact however often leaves change', () => {
  const change = fc.tuple(fc.nat(20), fc.oneof(fc.constant(0), fc.double({ min: 1e-12, max: 1e12, noNaN: true })))
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 60 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (changes, queries) => {
        const tree = new SumTree(21)
        for (const [index, priority] of changes) tree.set(index, priority)
        if (tree.total === 0) return
        // The same leaves, each set once: no trace of what was there before.
        const fresh = new SumTree(21)
        for (let i = 0; i < 21; i++) fresh.set(i, tree.get(i))
        assert.equal(tree.total, fresh.total)
        for (const query of [0, ...queries, 1]) assert.ok(tree.get(tree.find(query)) > 0)
      },
    ),
    { seed: 7 },
  )
})

test('leaves are drawn in proportion to their priority', () => {
  const tree = treeOf([1, 2, 3, 4])
  const indices = new Int32Array(10_000)
  tree.sample(seededRandom('proportion'), indices)
  const counts = [0, 0, 0, 0]
  for (const index of indices) counts[index]!++
  // Stratified: off by at most one at each of a leaf's two borders.
  assertClose(counts, [1_000, 2_000, 3_000, 4_000], 0, 2)
})

test('many at once are drawn and changed as one by one, to the bit', () => {
  const one = new SumTree(1000)
  const all = new SumTree(1000)
  const [first, second, values] = [seededRandom('draws'), seededRandom('draws'), seededRandom('values')]
  for (let i = 0; i < 700; i++) for (const tree of [one, all]) tree.set(i, i % 3 === 0 ? 0 : i)
  const drawn = new Int32Array(64)
  const priorities = new Float64Array(64)
  for (let round = 0; round < 50; round++) {
    all.sample(first, drawn)
    assert.deepEqual(
      [...drawn],
      Array.from({ length: 64 }, (_, i) => one.find((i + second.uniform()) / 64)),
    )
    for (let i = 0; i < 64; i++) priorities[i] = values.uniform() * 1000
    // One of them twice: the last counts.
    drawn[1] = drawn[0]!
    all.setAll(drawn, priorities)
    for (let i = 0; i < 64; i++) one.set(drawn[i]!, priorities[i]!)
    assert.equal(all.total, one.total)
    assert.equal(all.largest, one.largest)
  }
  assert.ok(all.total > 0)
})

test('what cannot be among many changes none of them', () => {
  const tree = treeOf([1, 2])
  assert.throws(() => tree.setAll(Int32Array.of(0, 1), Float64Array.of(5, Number.NaN)), { code: 'priority' })
  assert.throws(() => tree.setAll(Int32Array.of(0, 2), Float64Array.of(5, 1)), { code: 'shape' })
  assert.deepEqual([tree.total, tree.get(0), tree.get(1)], [3, 1, 2])
  assert.throws(() => new SumTree(4).sample(seededRandom('empty'), new Int32Array(2)), { code: 'replay_empty' })
})
