import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Places } from '../../src/peer/places.ts'

/** Our way: one step of length 1 a mix along the first axis, 10 updates each; the numbers themselves are the sketch. Far is beyond `reach`. */
function walked(mixes: number, reach = 2): Places {
  const places = new Places((parameters) => parameters)
  for (let mix = 1; mix <= mixes; mix++) places.stood(Float32Array.of(mix, 0), reach)
  return places
}

/** Whether an author at (x, y), with this version, is late to us who stand at (at, 0) after `at` mixes. */
function late(places: Places, at: number, [x, y]: readonly [number, number], version: number, author = 'a'): boolean {
  const ours = { parameters: Float32Array.of(at, 0), version: 10 * at }
  return places.isLate(author, { parameters: Float32Array.of(x, y), version }, ours, Math.hypot(at - x, y))
}

function onwards(places: Places, from: number, to: number): void {
  for (let mix = from + 1; mix <= to; mix++) places.stood(Float32Array.of(mix, 0), 2)
}

describe('where we stood', () => {
  test('is kept the denser the younger: eight of each stride, 256 mixes back', () => {
    assert.deepEqual(walked(8).kept, [1, 2, 3, 4, 5, 6, 7, 8])
    // At mix 20: odd ones younger than 8, twos younger than 16, fours younger than 32.
    assert.deepEqual(walked(20).kept, [4, 6, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    const { kept } = walked(1_000)
    assert.deepEqual([kept[0], kept[1], kept.length], [768, 800, 28])
  })

  test('tells nothing where nobody was far', () => {
    const places = walked(40, Number.POSITIVE_INFINITY)
    assert.deepEqual(places.kept, [])
    assert.equal(late(places, 40, [20, 0], 20), false)
  })
})

describe('an author far from us', () => {
  test('is late where we stood, as long as it moves on and makes at most half of our updates', () => {
    const places = walked(40)
    // At mix 40 near place 20: half of our way, a twentieth of our updates. 40 mixes later at 56.
    assert.equal(late(places, 40, [20, 1], 20), true)
    onwards(places, 40, 80)
    assert.equal(late(places, 80, [56, 1], 40), true)
    // As many updates as we made, or none.
    for (const version of [800, 401, 0]) assert.equal(late(walked(80), 80, [56, 1], version), false)
    assert.equal(late(walked(80), 80, [56, 1], 400), true)
  })

  test('is not late beside our way, or where it was as far as now', () => {
    assert.equal(late(walked(40), 40, [20, 1.9], 20), true)
    for (const place of [
      [20, 2.1],
      [-40, 0],
      [43, 0],
      [40, 1],
    ] as const)
      assert.equal(late(walked(40), 40, place, 20), false, place.join())
  })

  test('that shows an earlier replica again and again is not late, however slow it says it is', () => {
    const places = walked(10)
    for (let mix = 10; mix <= 300; mix++) {
      if (mix > 10) onwards(places, mix - 1, mix)
      assert.equal(late(places, mix, [1, 0], mix), false, `mix ${mix}`)
    }
  })

  test('that comes nearer is late, too, wherever it was left behind', () => {
    const places = walked(40)
    assert.equal(late(places, 40, [40, 30], 20), false)
    onwards(places, 40, 60)
    // 27 is 0.9 of 30; it must have learned, and slowly.
    assert.equal(late(places, 60, [60, 27], 30), true)
    assert.equal(late(places, 60, [60, 28], 30), false)
    assert.equal(late(places, 60, [60, 27], 20), false)
    assert.equal(late(places, 60, [60, 27], 121), false)
    // Compared with where it was first for 64 mixes, then with where it is now.
    onwards(places, 60, 104)
    assert.equal(late(places, 104, [104, 26], 40), true)
    onwards(places, 104, 110)
    assert.equal(late(places, 110, [110, 26], 50), false)
  })

  test('is told from others', () => {
    const places = walked(40)
    late(places, 40, [40, 30], 20, 'a')
    onwards(places, 40, 60)
    assert.equal(late(places, 60, [60, 20], 30, 'b'), false)
    assert.equal(late(places, 60, [60, 20], 30, 'a'), true)
  })
})
