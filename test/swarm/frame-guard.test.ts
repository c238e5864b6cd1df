/** Frames that yamux would keep or obey: refused by their headers, however the bytes are split; on a live connection only their sender is cut off. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import type { Clock } from '../../src/ports/clock.ts'
import { FrameGuard } from '../../src/swarm/frame-guard.ts'
import { MAX_STREAM_WINDOW_BYTES, PING_RATE, STREAM_RATE } from '../../src/swarm/limits.ts'
import { rawNode } from './raw-node.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const [DATA, WINDOW, PING, SYN, ACK] = [0, 1, 2, 1, 2]

const still = { now: () => 0 } as Clock

function header(type: number, flags: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint8(1, type)
  view.setUint16(2, flags)
  view.setUint32(4, 1)
  view.setUint32(8, length)
  return bytes
}

/** Frames taken before the first that is refused. */
function taken(frames: readonly Uint8Array[], clock = still): number {
  const guard = new FrameGuard(clock)
  const refused = frames.findIndex((frame) => {
    try {
      guard.look(frame)
      return false
    } catch {
      return true
    }
  })
  return refused < 0 ? frames.length : refused
}

const times = (count: number, frame: Uint8Array) => new Array<Uint8Array>(count).fill(frame)

describe('frames', () => {
  test('a frame as long as the largest window passes, one byte more does not, nor 4 GiB; other frames have no body', () => {
    assert.equal(taken([header(DATA, 0, MAX_STREAM_WINDOW_BYTES)]), 1)
    assert.equal(taken([header(DATA, 0, MAX_STREAM_WINDOW_BYTES + 1)]), 0)
    assert.equal(taken([header(DATA, 0, 0xffffffff)]), 0)
    assert.equal(taken([header(WINDOW, 0, 0xffffffff), header(DATA, 0, 0xffffffff)]), 1)
  })

  test('streams and pings: the burst and not one more; answers to pings are free', () => {
    assert.equal(taken(times(STREAM_RATE.burst + 1, header(WINDOW, SYN, 0))), STREAM_RATE.burst)
    assert.equal(taken(times(STREAM_RATE.burst + 1, header(DATA, SYN, 0))), STREAM_RATE.burst)
    assert.equal(taken(times(PING_RATE.burst + 1, header(PING, SYN, 0))), PING_RATE.burst)
    assert.equal(taken(times(10 * PING_RATE.burst, header(PING, ACK, 0))), 10 * PING_RATE.burst)
  })

  test('any split of the bytes gives the same', () => {
    const bodies = Buffer.concat([header(DATA, 0, 30), new Uint8Array(30).fill(255), header(WINDOW, SYN, 7), header(DATA, 0, 0)])
    const fatal = Buffer.concat([bodies, header(DATA, 0, MAX_STREAM_WINDOW_BYTES + 1)])
    fc.assert(
      fc.property(fc.array(fc.nat(fatal.length)), (cuts) => {
        for (const [bytes, passes] of [
          [bodies, true],
          [fatal, false],
        ] as const) {
          const guard = new FrameGuard(still)
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
          const look = () => at.slice(1).forEach((end, i) => void guard.look(bytes.subarray(at[i], end)))
          if (passes) look()
          else assert.throws(look, /over any window/)
        }
      }),
      { seed: 3, numRuns: 300 },
    )
  })
})

test('who sends such a frame is cut off and counted; the others stay', async () => {
  const swarm = loopbackSwarm(240)
  const friend = loopbackSwarm(241)
  const enemy = await rawNode()
  after(() => Promise.all([swarm.stop(), friend.stop(), enemy.stop()]))
  await swarm.start(forever)
  await friend.start(forever)
  await friend.dial(swarm.addresses()[0]!, forever)
  const connection = await enemy.dial(multiaddr(swarm.addresses()[0]!))
  await until(() => swarm.peers().length === 2, 'both')
  // The encrypted stream below the multiplexer.
  const { maConn } = (connection as unknown as { muxer: { maConn: { send(bytes: Uint8Array): boolean } } }).muxer
  maConn.send(header(DATA, 0, 0x40000000))
  await until(() => swarm.peers().length === 1, 'the enemy is gone')
  assert.equal(swarm.peers()[0]!.id, friend.id)
  assert.equal(swarm.refusals?.().bad_multiplexing, 1)
})
