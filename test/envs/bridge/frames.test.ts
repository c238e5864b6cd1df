import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Description } from '../../../src/envs/bridge/description.ts'
import {
  decodeHeader,
  finalsAgree,
  HEADER_BYTES,
  isRowsLength,
  KIND,
  newFrame,
  resetFrame,
  rowsLayout,
  setSequence,
} from '../../../src/envs/bridge/frames.ts'

const description = (type: 'u8' | 'f32', shape: number[]): Description => ({
  observation: { shape, type, low: 0, high: 1 },
  action: { kind: 'discrete', n: 2 },
  threshold: null,
  maxEpisodeSteps: null,
})

test('a header is four little-endian words', () => {
  const frame = newFrame(KIND.step, 12)
  setSequence(frame, 0x01020304)
  assert.deepEqual([...frame.subarray(0, HEADER_BYTES)], [0x47, 0x56, 0x42, 0x31, 3, 0, 0, 0, 4, 3, 2, 1, 12, 0, 0, 0])
  assert.equal(frame.length, 28)
  assert.deepEqual(decodeHeader(frame), { kind: 3, sequence: 0x01020304, length: 12 })
  frame[0] = 0
  assert.equal(decodeHeader(frame), null)
})

test('a reset carries flags, seeds of 64 bits and options', () => {
  const frame = resetFrame(Uint8Array.of(1, 0, 1), [5, 0, 2 ** 53 - 1], '{}')
  const payload = frame.subarray(HEADER_BYTES)
  assert.deepEqual([...payload.subarray(0, 8)], [1, 0, 1, 0, 0, 0, 0, 0])
  assert.deepEqual([...payload.subarray(8, 16)], [5, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([...payload.subarray(24, 32)], [255, 255, 255, 255, 255, 255, 31, 0])
  assert.deepEqual([...payload.subarray(32)], [0x7b, 0x7d])
  const unseeded = resetFrame(Uint8Array.of(1), null, '').subarray(HEADER_BYTES)
  assert.deepEqual([...unseeded], [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255])
})

test('the layout of rows, by hand: three rows of a float32 [2], five of bytes [3, 3]', () => {
  assert.deepEqual(rowsLayout(3, description('f32', [2])), {
    count: 3,
    width: 2,
    type: 'f32',
    rowBytes: 8,
    terminatedAt: 24,
    truncatedAt: 27,
    observationsAt: 32,
    finalsAt: 56,
    maxBytes: 80,
  })
  const bytes = rowsLayout(5, description('u8', [3, 3]))
  assert.deepEqual([bytes.width, bytes.rowBytes, bytes.observationsAt, bytes.finalsAt, bytes.maxBytes], [9, 9, 56, 101, 146])
})

test('only lengths that rows can have are taken, and only as many final observations as episodes ended', () => {
  const layout = rowsLayout(3, description('f32', [2]))
  assert.deepEqual(
    [0, 55, 56, 60, 64, 72, 80, 88, 4e9].filter((length) => isRowsLength(layout, length)),
    [56, 64, 72, 80],
  )
  const payload = new Uint8Array(layout.maxBytes)
  payload[layout.terminatedAt] = 1
  payload[layout.truncatedAt] = 1
  payload[layout.truncatedAt + 2] = 1
  assert.equal(finalsAgree(layout, payload, 72, true), true)
  assert.equal(finalsAgree(layout, payload, 64, true), false)
  assert.equal(finalsAgree(layout, payload, 72, false), false)
  assert.equal(finalsAgree(layout, payload, 56, false), true)
  payload[layout.truncatedAt + 1] = 2
  assert.equal(finalsAgree(layout, payload, 80, true), false)
})
