import assert from 'node:assert/strict'
import { test } from 'node:test'
import { box, type Picture, type Shape } from '../../src/envs/picture.ts'
import { rasterise } from '../../src/envs/raster.ts'

/** Draws on a board of 6 x 4 units and pixels; '#' where red, '.' where black. */
function drawn(...shapes: Shape[]): string[] {
  const picture: Picture = { left: 0, right: 6, bottom: 0, top: 4, background: 0x000000, shapes }
  const bytes = rasterise(picture, 6, 4)
  return [0, 1, 2, 3].map((y) => [0, 1, 2, 3, 4, 5].map((x) => (bytes[(y * 6 + x) * 3] === 0xff ? '#' : '.')).join(''))
}

test('a box covers the pixels whose centres it covers, y up', () => {
  assert.deepEqual(drawn(box(1, 0, 3, 2, 0xff0000)), ['......', '......', '.##...', '.##...'])
  assert.deepEqual(drawn(box(-5, 2.6, 2.6, 9, 0xff0000)), ['###...', '......', '......', '......'])
})

test('a concave polygon by the even-odd rule', () => {
  const points: [number, number][] = [
    [0, 0],
    [6, 0],
    [6, 4],
    [5, 4],
    [5, 1],
    [1, 1],
    [1, 4],
    [0, 4],
  ]
  assert.deepEqual(drawn({ kind: 'polygon', points, colour: 0xff0000 }), ['#....#', '#....#', '#....#', '######'])
})

test('circles and lines', () => {
  assert.deepEqual(drawn({ kind: 'circle', x: 3, y: 2, radius: 1.6, colour: 0xff0000 }), ['..##..', '.####.', '.####.', '..##..'])
  const points: [number, number][] = [
    [0, 0.5],
    [4.5, 0.5],
    [4.5, 4],
  ]
  assert.deepEqual(drawn({ kind: 'line', points, width: 0.1, colour: 0xff0000 }), ['....#.', '....#.', '....#.', '#####.'])
})

test('later shapes lie on top and colours are kept', () => {
  const bytes = rasterise(
    { left: 0, right: 1, bottom: 0, top: 1, background: 1, shapes: [box(0, 0, 1, 1, 0x123456), box(0, 0, 1, 1, 0xabcdef)] },
    1,
    1,
  )
  assert.deepEqual([...bytes], [0xab, 0xcd, 0xef])
})
