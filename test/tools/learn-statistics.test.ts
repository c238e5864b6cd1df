import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawCurves } from '../../scripts/bench/learn/picture.ts'
import { interquartileMean, iqmInterval, median } from '../../scripts/bench/learn/statistics.ts'

test('the interquartile mean leaves a quarter of the values out at each end', () => {
  assert.equal(interquartileMean([1, 2, 3]), 2)
  assert.equal(interquartileMean([100, 1, 2, 3, -100]), 2)
  assert.equal(interquartileMean([8, 7, 6, 5, 4, 3, 2, 1]), 4.5)
  assert.ok(Number.isNaN(interquartileMean([])))
})

test('medians of odd and even numbers of values', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

test('a bootstrap interval holds its estimate, narrows with more runs, and is the same twice', () => {
  const few = iqmInterval([1, 2, 3, 4, 5])
  assert.ok(few.low < few.iqm && few.iqm < few.high)
  const many = iqmInterval(Array.from({ length: 80 }, (_, i) => 1 + (i % 5)))
  assert.ok(many.high - many.low < few.high - few.low)
  assert.deepEqual(iqmInterval([1, 2, 3, 4, 5]), few)
  assert.deepEqual(iqmInterval([7]), { iqm: 7, low: 7, high: 7 })
})

test('a picture of curves has a line for each seed, one for their mean, and one for the threshold', () => {
  const curve = [
    [0, Number.NaN],
    [10, 1],
    [20, 3],
  ] as const
  const mean = curve.map(([steps, iqm]) => ({ steps, iqm, low: iqm - 1, high: iqm + 1 }))
  const svg = drawCurves({ title: 'a < b', seeds: [curve, curve], mean, threshold: 2 })
  assert.equal(svg.match(/<polyline/g)!.length, 4)
  assert.ok(svg.includes('a &lt; b'))
  assert.ok(!svg.includes('NaN'))
})
