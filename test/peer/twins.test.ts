/** Beacons that carry our own signature: of another who has our key, or our own that come back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Authors } from '../../src/peer/authors.ts'
import { Beacons, type BeaconsOptions } from '../../src/peer/beacons.ts'
import { encodeBeacon } from '../../src/wire/beacon.ts'
import { SKETCH_BUCKETS } from '../../src/wire/limits.ts'

const beacon = (incarnation: number, sequence: number) =>
  encodeBeacon({
    ...{ incarnation, sequence, epoch: 1, version: 1, steps: 1, returnMean: null, digest: new Uint8Array(32) },
    ...{ sketch: new Float32Array(SKETCH_BUCKETS), holding: false, leaving: false, observing: false, addresses: [] },
  })

test('one that began later has taken our place; what we said before, and noise, has not', () => {
  let usurped = 0
  const authors = new Authors()
  const options = { network: { id: 'me' }, clock: { now: () => 0 }, authors, incarnation: 10, onUsurped: () => usurped++ }
  const beacons = new Beacons(options as unknown as BeaconsOptions)
  for (const [bytes, expected] of [
    [beacon(9, 1_000), 0],
    [beacon(10, 0), 0],
    [Uint8Array.of(1, 2, 3), 0],
    [beacon(10, 1), 1],
    [beacon(11, 1), 2],
  ] as const) {
    assert.equal(beacons.receive('me', bytes), 'ignore')
    assert.equal(usurped, expected)
  }
  assert.deepEqual(authors.values(), [])
})
