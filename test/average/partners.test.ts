import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  isMutual,
  matching,
  nextShift,
  PAIR_RULES,
  type PairRule,
  partnerBy,
  randomPartner,
  ringNeighbours,
} from '../../src/average/partners.ts'
import { seededRandom } from '../../src/util/random.ts'

const names = (n: number) => Array.from({ length: n }, (_, i) => `peer-${String(i).padStart(3, '0')}`)
const random = seededRandom('partners')
const partners = (rule: PairRule, n: number, epoch: number) =>
  names(n).map((self, _, view) => {
    const partner = partnerBy(rule, { self, view, run: 'a run', epoch, random })
    return partner === null ? null : view.indexOf(partner)
  })

describe('partner rules', () => {
  test('ring: even edges, then odd ones', () => {
    assert.deepEqual(partners('ring', 6, 0), [1, 0, 3, 2, 5, 4])
    assert.deepEqual(partners('ring', 6, 1), [5, 2, 1, 4, 3, 0])
    assert.deepEqual(partners('ring', 5, 0), [1, 0, 3, 2, null])
    assert.deepEqual(partners('ring', 5, 1), [null, 2, 1, 4, 3])
    assert.deepEqual(partners('ring', 2, 1), [1, 0])
  })

  test('exponential: one bit of the rank after the other; who has no partner so draws one', () => {
    assert.deepEqual(partners('exponential', 8, 0), [1, 0, 3, 2, 5, 4, 7, 6])
    assert.deepEqual(partners('exponential', 8, 1), [2, 3, 0, 1, 6, 7, 4, 5])
    assert.deepEqual(partners('exponential', 8, 2), [4, 5, 6, 7, 0, 1, 2, 3])
    assert.deepEqual(partners('exponential', 8, 3), partners('exponential', 8, 0))
    const six = partners('exponential', 6, 1)
    assert.deepEqual(six.slice(0, 4), [2, 3, 0, 1])
    for (const [i, partner] of six.entries()) assert.ok(partner !== null && partner !== i && partner < 6)
  })

  test('matching: perfect for even numbers, one alone for odd ones, another each epoch, the same for everyone', () => {
    for (const n of [2, 3, 8, 17]) {
      const pairs = matching(names(n), 'a run', 4)
      assert.equal(pairs.length, Math.floor(n / 2))
      assert.equal(new Set(pairs.flat()).size, 2 * pairs.length)
    }
    assert.deepEqual(matching(names(8), 'a run', 4), matching(names(8), 'a run', 4))
    assert.notDeepEqual(matching(names(8), 'a run', 4), matching(names(8), 'a run', 5))
    assert.notDeepEqual(matching(names(8), 'a run', 4), matching(names(8), 'another run', 4))
  })

  test('matching is uniform: over 3,000 epochs peer 0 meets each of 7 others about as often', () => {
    const met = new Array<number>(8).fill(0)
    for (let epoch = 0; epoch < 3_000; epoch++) met[partners('matching', 8, epoch)[0]!]!++
    // 3000/7 = 428.6 with a standard deviation of 19.2: five of them.
    for (const count of met.slice(1)) assert.ok(Math.abs(count - 428.6) < 96, `${met}`)
  })

  test('random is uniform among the others', () => {
    const met = new Array<number>(5).fill(0)
    const view = names(5)
    for (let i = 0; i < 4_000; i++) met[view.indexOf(randomPartner(view, view[2]!, random)!)]!++
    assert.equal(met[2], 0)
    // 1000 with a standard deviation of 27.4: five of them.
    for (const i of [0, 1, 3, 4]) assert.ok(Math.abs(met[i]! - 1_000) < 137, `${met}`)
  })

  test('every rule, any number, any epoch: partners are others, and mutual where the rule is everyone’s', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PAIR_RULES), fc.integer({ min: 1, max: 40 }), fc.nat(), (rule, n, epoch) => {
        const chosen = partners(rule, n, epoch)
        for (const [i, partner] of chosen.entries()) {
          if (partner === null) continue
          assert.ok(partner !== i && partner >= 0 && partner < n)
          if (isMutual(rule, names(n), names(n)[i]!)) assert.equal(chosen[partner], i)
        }
      }),
    )
  })

  test('ring neighbours of broadcast', () => {
    assert.deepEqual(ringNeighbours(['a', 'b', 'c', 'd'], 'a'), ['d', 'b'])
    assert.deepEqual(ringNeighbours(['a', 'b'], 'b'), ['a'])
    assert.deepEqual(ringNeighbours(['a'], 'a'), [])
  })

  test('the shift of an epoch follows the median by one each round', () => {
    assert.equal(nextShift(5, []), 5)
    assert.equal(nextShift(0, [0, 0, 7]), 0)
    assert.equal(nextShift(0, [9, 9, 2]), 1)
    assert.equal(nextShift(3, [1, 2, 9]), 2)
    // Who has just come goes all the way where it is far, and there only.
    assert.equal(nextShift(0, [900, 901, 5], true), 900)
    assert.equal(nextShift(900, [3, 2, 2], true), 2)
    assert.equal(nextShift(0, [8, 8, 8], true), 1)
  })
})
