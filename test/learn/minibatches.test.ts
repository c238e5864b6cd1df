import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Minibatches, rowsOf, type Samples } from '../../src/learn/minibatches.ts'
import { seededRandom } from '../../src/util/random.ts'

/** Sample i holds i in every array, observations twice, so that what belongs together can be seen. */
function numbered(rows: number): Samples {
  const numbers = Float32Array.from({ length: rows }, (_, i) => i)
  return {
    observations: Float32Array.from({ length: 2 * rows }, (_, i) => Math.floor(i / 2) + (i % 2) / 2),
    actions: Int32Array.from(numbers),
    logProbs: numbers.slice(),
    values: numbers.slice(),
    advantages: numbers.slice(),
    returns: numbers.slice(),
  }
}

function epoch(minibatches: Minibatches): number[][] {
  minibatches.shuffle()
  return Array.from({ length: minibatches.count }, (_, i) => {
    const { observations, actions, logProbs, values, advantages, returns } = minibatches.take(i)
    const order = [...actions]
    for (const array of [logProbs, values, advantages, returns]) assert.deepEqual([...array], order)
    assert.deepEqual(
      [...observations],
      [...order].flatMap((row) => [row, row + 0.5]),
    )
    return order
  })
}

test('every sample comes once an epoch, whole, in another order; the last minibatch holds the rest', () => {
  const minibatches = new Minibatches(numbered(23), 5, seededRandom(1))
  const orders = [epoch(minibatches), epoch(minibatches)]
  for (const batches of orders) {
    assert.deepEqual(
      batches.map((batch) => batch.length),
      [5, 5, 5, 5, 3],
    )
    assert.deepEqual(
      batches.flat().sort((a, b) => a - b),
      Array.from({ length: 23 }, (_, i) => i),
    )
  }
  assert.notDeepEqual(orders[0], orders[1])
  assert.deepEqual(epoch(new Minibatches(numbered(23), 5, seededRandom(1))), orders[0])
})

test('all orders are equally likely', () => {
  const minibatches = new Minibatches(numbered(3), 3, seededRandom(2))
  const counts = new Map<string, number>()
  for (let i = 0; i < 6_000; i++) {
    const order = epoch(minibatches).join()
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  assert.equal(counts.size, 6)
  // Five standard deviations of a count of 6,000 tries at 1/6.
  for (const count of counts.values()) assert.ok(Math.abs(count - 1_000) < 5 * Math.sqrt(6_000 * (1 / 6) * (5 / 6)), `${count}`)
})

test('a minibatch larger than the samples holds them all', () => {
  const [all] = epoch(new Minibatches(numbered(4), 64, seededRandom(3)))
  assert.deepEqual(all!.sort(), [0, 1, 2, 3])
})

test('views of rows share their memory', () => {
  const samples = numbered(5)
  const part = rowsOf(samples, 1, 3)
  assert.deepEqual([...part.observations], [1, 1.5, 2, 2.5])
  part.logProbs[0] = 9
  assert.equal(samples.logProbs[1], 9)
})
