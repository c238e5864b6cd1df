/** Memory that is used again: only what was given back, only where it fits, and never by two at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateFloats, copyFloats, giveBack, reuseBytes, reuseFloats, takeMadeBytes } from '../../src/util/memory.ts'

const FLOATS = 300_000
/** 1,200,000 bytes are 18.3 times 65,536. */
const SHARED_BYTES = 19 * 65_536

test('what was given back is used again by the next array of its size, a frame beside a vector', () => {
  takeMadeBytes()
  const vector = reuseFloats(FLOATS)
  assert.equal(vector.length, FLOATS)
  assert.ok(vector.buffer instanceof SharedArrayBuffer)
  assert.equal(takeMadeBytes(), SHARED_BYTES)
  vector[7] = 3
  giveBack(vector)
  const frame = reuseBytes(4 * FLOATS + 136)
  assert.equal(frame.buffer, vector.buffer)
  assert.equal(frame.length, 4 * FLOATS + 136)
  assert.equal(takeMadeBytes(), 0)
  assert.equal(reuseFloats(FLOATS).buffer === vector.buffer, false, 'lent to one at a time')
  assert.equal(takeMadeBytes(), SHARED_BYTES)
})

test('what is given back twice is lent once', () => {
  const vector = reuseFloats(FLOATS)
  giveBack(vector)
  giveBack(vector.subarray(5))
  const [first, second] = [reuseFloats(FLOATS), reuseFloats(FLOATS)]
  assert.equal(first.buffer, vector.buffer)
  assert.notEqual(second.buffer, vector.buffer)
})

test('memory of another size, of somebody else, and small memory is not used again', () => {
  giveBack(reuseFloats(2 * FLOATS))
  const own = allocateFloats(FLOATS)
  giveBack(own)
  giveBack(copyFloats(own))
  const small = reuseFloats(10)
  assert.ok(small.buffer instanceof ArrayBuffer)
  giveBack(small)
  takeMadeBytes()
  const next = reuseFloats(FLOATS)
  assert.notEqual(next.buffer, own.buffer)
  assert.equal(takeMadeBytes(), SHARED_BYTES)
  assert.notEqual(reuseFloats(10).buffer, small.buffer)
})

test('of more than four that are given back, those of the longest ago are let go', () => {
  const many = Array.from({ length: 6 }, () => reuseFloats(FLOATS))
  for (const each of many) giveBack(each)
  const again = Array.from({ length: 5 }, () => reuseFloats(FLOATS).buffer)
  assert.deepEqual(
    many.map(({ buffer }) => again.includes(buffer)),
    [false, false, true, true, true, true],
  )
})

test('small memory is shared where a helper thread writes into it beside a large array', () => {
  assert.ok(reuseBytes(300_000, 4 * FLOATS).buffer instanceof SharedArrayBuffer)
  assert.ok(reuseFloats(10, 4 * FLOATS).buffer instanceof SharedArrayBuffer)
  assert.ok(reuseBytes(300_000, 300_000).buffer instanceof ArrayBuffer)
})
