import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gcra, KeyedGcra } from '../../src/util/gcra.ts'

/** How many of `times` conform. */
const accepted = (limit: Gcra, times: readonly number[]) => times.filter((at) => limit.take(at) === 0).length
const at = (count: number, everyMs: number, fromMs = 0) => Array.from({ length: count }, (_, i) => fromMs + i * everyMs)

describe('rate limits', () => {
  test('the burst and not one more, then one per interval and not one more', () => {
    const limit = new Gcra({ perSecond: 2, burst: 5 })
    assert.equal(accepted(limit, at(6, 0)), 5)
    assert.equal(limit.take(0), 500)
    assert.equal(limit.take(499), 1)
    assert.equal(limit.take(500), 0)
    assert.equal(limit.take(500), 500)
  })

  test('exactly the rate passes for ever; half as much again is thinned to the rate', () => {
    assert.equal(accepted(new Gcra({ perSecond: 10, burst: 1 }), at(1_000, 100)), 1_000)
    assert.equal(accepted(new Gcra({ perSecond: 10, burst: 1 }), at(1_500, 1_000 / 15)), 750)
  })

  test('a flood gains nothing and loses nothing but itself', () => {
    const limit = new Gcra({ perSecond: 1, burst: 2 })
    assert.equal(accepted(limit, at(10_000, 0.1)), 2)
    assert.equal(accepted(limit, at(2, 0, 3_000)), 2)
  })

  test('what is spent counts though it does not conform, and looking counts nothing', () => {
    const limit = new Gcra({ perSecond: 1, burst: 2 })
    assert.deepEqual([limit.waitMs(0), limit.waitMs(0), limit.waitMs(0, 3)], [0, 0, 1_000])
    for (let i = 0; i < 3; i++) limit.spend(0)
    assert.equal(limit.waitMs(0), 2_000)
    assert.equal(limit.take(1_999), 1)
    assert.equal(limit.take(2_000), 0)
  })

  test('units count as many', () => {
    const limit = new Gcra({ perSecond: 1_000, burst: 4_000 })
    assert.equal(limit.take(0, 4_001), 1)
    assert.equal(limit.take(0, 4_000), 0)
    assert.equal(limit.take(1_000, 1_000), 0)
  })

  test('keys are limited one by one, and their number is bounded', () => {
    const limits = new KeyedGcra({ perSecond: 1, burst: 1 }, 3)
    for (const key of ['a', 'b', 'c']) assert.equal(limits.take(key, 0), 0)
    assert.equal(limits.take('a', 0), 1_000)
    assert.equal(limits.take('d', 0), 0)
    assert.equal(limits.size, 3)
    // Of those in use the least recently used was forgotten: b.
    assert.equal(limits.take('a', 0), 1_000)
    assert.equal(limits.take('e', 2_000), 0)
    assert.equal(limits.size, 1)
  })
})
