/** What every robust rule promises (src/average/combine.ts). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ROBUST_RULES, type RobustRule, robustDelta } from '../../src/average/combine.ts'
import { squaredDistance, sumOfSquares } from '../../src/average/distance.ts'
import { clipFactor } from '../../src/average/robust.ts'

const bounded = fc.float({ noNaN: true, min: -4, max: 4 })
const vector = (length: number) => fc.array(bounded, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values))

function delta(rule: RobustRule, theirs: readonly Float32Array[], mine: Float32Array, factors = theirs.map(() => 1)): Float32Array {
  const out = new Float32Array(mine.length).fill(9)
  robustDelta(rule, theirs, mine, out, factors)
  return out
}

for (const rule of ROBUST_RULES) {
  describe(`robust rule ${rule}`, () => {
    test('a swarm that agrees stays where it is', () => {
      const mine = Float32Array.of(1, -2, 3)
      assert.deepEqual([...delta(rule, [mine.slice(), mine.slice()], mine)], [0, 0, 0])
    })

    test('with one neighbour both go half the way', () => {
      assert.deepEqual([...delta(rule, [Float32Array.of(4, 0)], Float32Array.of(1, 2))], [1.5, -1])
    })

    test('the order of neighbours does not matter, nor where the swarm stands', () => {
      const property = fc.property(fc.array(vector(4), { minLength: 1, maxLength: 9 }), vector(4), (theirs, mine) => {
        const there = delta(rule, theirs, mine)
        const turned = delta(rule, [...theirs].reverse(), mine)
        const moved = delta(
          rule,
          theirs.map((values) => values.map((value) => value + 8)),
          mine.map((value) => value + 8),
        )
        for (let i = 0; i < 4; i++) {
          assert.ok(Math.abs(there[i]! - turned[i]!) < 1e-5)
          assert.ok(Math.abs(there[i]! - moved[i]!) < 1e-5)
        }
      })
      fc.assert(property, { numRuns: 200, seed: 1 })
    })

    test('the move stays within the votes', () => {
      const property = fc.property(fc.array(vector(3), { minLength: 1, maxLength: 9 }), vector(3), (theirs, mine) => {
        const move = delta(rule, theirs, mine)
        for (let i = 0; i < 3; i++) {
          const votes = [0, ...theirs.map((values) => values[i]! - mine[i]!)]
          assert.ok(move[i]! >= Math.min(...votes) - 1e-5 && move[i]! <= Math.max(...votes) + 1e-5)
        }
      })
      fc.assert(property, { numRuns: 200, seed: 2 })
    })

    test('factors scale differences, and 0 stands for what is not finite', () => {
      assert.deepEqual([...delta(rule, [Float32Array.of(5)], Float32Array.of(1), [0.5])], [1])
      assert.ok(Number.isFinite(delta(rule, [Float32Array.of(Number.NaN), Float32Array.of(2)], Float32Array.of(1), [0, 1])[0]))
    })

    test('with clipping no mix moves us farther than the root of two radii, whatever strangers send', () => {
      const wild = fc.float32Array({ minLength: 4, maxLength: 4, noNaN: true, min: -Math.fround(1e15), max: Math.fround(1e15) })
      const property = fc.property(wild, vector(4), fc.array(vector(4), { minLength: 1, maxLength: 6 }), (hostile, mine, honest) => {
        const radius = 0.5
        const theirs = [...honest, hostile]
        const factors = theirs.map((values) => clipFactor(Math.sqrt(squaredDistance(values, mine)), radius))
        assert.ok(Math.sqrt(sumOfSquares(delta(rule, theirs, mine, factors))) <= Math.SQRT2 * radius * 1.000001)
      })
      fc.assert(property, { numRuns: 300, seed: 3 })
    })

    test('wrong lengths and an empty mix are refused', () => {
      const three = new Float32Array(3)
      assert.throws(() => delta(rule, [], three), { code: 'shape' })
      assert.throws(() => delta(rule, [new Float32Array(2)], three), { code: 'shape' })
      assert.throws(() => delta(rule, [three], three, []), { code: 'shape' })
    })
  })
}

test('median and trimmed mean by hand: of seven neighbours two that lie do not reach us', () => {
  const mine = Float32Array.of(0)
  const theirs = [1, 2, 3, 4, 5, 1000, -1000].map((value) => Float32Array.of(value))
  // Votes -1000 0 1 2 3 4 5 1000.
  assert.deepEqual([...delta('median', theirs, mine)], [2.5])
  assert.deepEqual([...delta('trimmed', theirs, mine)], [2.5])
  assert.deepEqual([...delta('none', theirs, mine)], [15 / 8])
  assert.deepEqual([...delta('trimmed', theirs.slice(0, 4), mine)], [2])
})
