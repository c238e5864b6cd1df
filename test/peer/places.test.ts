import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Places } from '../../src/peer/places.ts'

/** Our way: one step of length 1 a mix along the first axis; the numbers themselves are the sketch. Mixed with `a` every `every` mixes. */
class Walk {
  readonly places = new Places((parameters) => parameters)
  readonly #reach: number
  readonly #every: number
  at = 0

  constructor(mixes: number, { reach = 2, every = 20 } = {}) {
    this.#reach = reach
    this.#every = every
    this.to(mixes)
  }

  to(mixes: number): void {
    while (this.at < mixes) {
      this.at++
      this.places.stood(Float32Array.of(this.at, 0), this.#reach, this.at % this.#every === 0 ? ['a', 'b'] : [])
    }
  }

  /** Whether an author at (x, y) is late. */
  late(x: number, y: number, author = 'a'): boolean {
    return this.places.isLate(author, Float32Array.of(x, y), Math.hypot(this.at - x, y))
  }
}

describe('where we stood', () => {
  test('is kept the denser the younger: eight of each stride, 256 mixes back', () => {
    assert.deepEqual(new Walk(8).places.kept, [1, 2, 3, 4, 5, 6, 7, 8])
    // At mix 20: odd ones younger than 8, twos younger than 16, fours younger than 32.
    assert.deepEqual(new Walk(20).places.kept, [4, 6, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    const { kept } = new Walk(1_000).places
    assert.deepEqual([kept[0], kept[1], kept.length], [768, 800, 28])
  })

  test('tells nothing where nobody was far', () => {
    const walk = new Walk(40, { reach: Number.POSITIVE_INFINITY })
    assert.deepEqual(walk.places.kept, [])
    assert.equal(walk.late(20, 0), false)
  })
})

describe('an author far from us', () => {
  test('is late where we stood, as long as it moves on and is part of at most a quarter of our mixes', () => {
    for (const [every, expected] of [
      [20, true],
      [4, true],
      [3, false],
      [1, false],
    ] as const) {
      const walk = new Walk(40, { every })
      // At mix 40 near place 20, at mix 80 near 56.
      assert.equal(walk.late(20, 1), expected, `every ${every}`)
      walk.to(80)
      assert.equal(walk.late(56, 1), expected, `every ${every}`)
    }
  })

  test('is not late beside our way, or where it was as far as now', () => {
    assert.equal(new Walk(40).late(20, 1.9), true)
    for (const [x, y] of [
      [20, 2.1],
      [-40, 0],
      [43, 0],
      [40, 1],
    ] as const)
      assert.equal(new Walk(40).late(x, y), false, `${x}, ${y}`)
  })

  test('that shows an earlier replica again and again is not late, however seldom', () => {
    const walk = new Walk(20)
    for (let mix = 20; mix <= 300; mix += 20) {
      walk.to(mix)
      assert.equal(walk.late(1, 0), false, `mix ${mix}`)
    }
  })

  test('that comes nearer is late, too, wherever it was left behind', () => {
    const walk = new Walk(40)
    assert.equal(walk.late(40, 30), false)
    walk.to(60)
    // 27 is 0.9 of 30.
    assert.equal(walk.late(60, 28), false)
    assert.equal(walk.late(60, 27), true)
    // Compared with where it was first for 64 mixes, then with where it is now.
    walk.to(104)
    assert.equal(walk.late(104, 26), true)
    walk.to(120)
    assert.equal(walk.late(120, 26), false)
    const often = new Walk(40, { every: 1 })
    often.late(40, 30)
    often.to(60)
    assert.equal(often.late(60, 20), false)
  })

  test('is told from others', () => {
    const walk = new Walk(40)
    walk.late(40, 30, 'a')
    walk.to(60)
    assert.equal(walk.late(60, 20, 'b'), false)
    assert.equal(walk.late(60, 20, 'a'), true)
  })
})
