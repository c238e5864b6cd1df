import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sparkline, sparkline } from '../../src/observe/sparkline.ts'

test('eight levels from the lowest to the highest value', () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), '▁▂▃▄▅▆▇█')
  assert.equal(sparkline([-10, 10]), '▁█')
  assert.equal(sparkline([5, 5, 5]), '▄▄▄')
  assert.equal(sparkline([]), '')
})

test('a long run keeps its shape in the same width', () => {
  const line = new Sparkline(8)
  assert.equal(String(line), '')
  for (let i = 0; i < 8; i++) line.add(i)
  assert.equal(String(line), '▁▂▃▄▅▆▇█')
  // The ninth value halves the curve to 0, 2, 4, 6 and is itself the next point, 8.
  line.add(8)
  assert.equal(String(line), sparkline([0, 2, 4, 6, 8]))
  line.add(9)
  line.add(10)
  assert.equal(String(line), sparkline([0, 2, 4, 6, 8, 10]))
  for (let i = 11; i < 10_000; i++) line.add(i)
  assert.ok(String(line).length <= 8 && String(line).startsWith('▁') && String(line).endsWith('█'))
})
