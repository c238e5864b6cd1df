import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setLatest } from '../../src/util/latest.ts'

test('the keys set longest ago are forgotten first', () => {
  const map = new Map<string, number>()
  for (const [i, key] of ['a', 'b', 'c', 'a', 'd'].entries()) setLatest(map, key, i, 3)
  assert.deepEqual(
    [...map],
    [
      ['c', 2],
      ['a', 3],
      ['d', 4],
    ],
  )
})
