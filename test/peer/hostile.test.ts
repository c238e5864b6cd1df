import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FRAME_BYTE_RATE, MIN_FRAME_COST_BYTES, TOLD_REFUSALS } from '../../src/peer/limits.ts'
import { parameterDigest } from '../../src/util/sha256.ts'
import { encodeBeacon } from '../../src/wire/beacon.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { beaconTopic, parameterTopic } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

/** A peer that holds still, and a stranger connected to it who speaks the topics of its run. */
async function besieged() {
  const swarm = new VirtualSwarm()
  const victim = await swarm.add({ waitForPeers: 9 })
  const stranger = swarm.hub.join(examplePeerId(66))
  await stranger.start(new AbortController().signal)
  const { run } = victim.peer
  stranger.subscribe(parameterTopic(run.id), 1_048_576, () => 'accept')
  stranger.subscribe(beaconTopic(run.id), 1_024, () => 'accept')
  await swarm.during(stranger.dial(victim.network.addresses()[0]!, new AbortController().signal))
  let sequence = 0
  const send = async (
    values: Float32Array,
    changes: { count?: number; runPrefix?: Uint8Array; sequence?: number; waitMs?: number } = {},
  ) => {
    const payload = new Uint8Array(values.buffer.slice(0))
    const frame = encodeFrame({
      runPrefix: changes.runPrefix ?? run.prefix,
      author: stranger.id,
      incarnation: 1,
      sequence: changes.sequence ?? ++sequence,
      version: 1,
      epoch: 1,
      codec: 'f32',
      count: changes.count ?? values.length,
      payload,
      normalisers: [],
    })
    await stranger.publish(parameterTopic(run.id), frame)
    if (changes.waitMs !== 0) await swarm.clock.run(changes.waitMs ?? 1_000)
  }
  const digest = async () => Buffer.from(parameterDigest((await run.learner.snapshot()).parameters)).toString('hex')
  const end = async () => {
    await victim.leave()
    await stranger.stop()
  }
  return { swarm, victim, stranger, run, send, digest, end }
}

describe('a hostile peer', () => {
  test('frames that are not finite, of wrong size, of another run or too far are refused, counted and never mixed', async () => {
    const { victim, run, send, digest, end } = await besieged()
    const before = await digest()
    const sound = run.initial.slice()
    const poisoned = sound.slice()
    poisoned[17] = Number.NaN
    const refusals: string[] = []
    const expectRefusal = async (code: string) => {
      refusals.push(code)
      assert.deepEqual(
        victim.of('refused').map((event) => event.code),
        refusals,
      )
    }
    await send(poisoned)
    await expectRefusal('not_finite')
    await send(sound.subarray(1).slice())
    await expectRefusal('manifest_mismatch')
    assert.equal(victim.of('mix').length, 0)
    assert.equal(await digest(), before)
    assert.equal(victim.peer.counters().refused_not_finite, 1)
    assert.equal(victim.peer.counters().refused_manifest_mismatch, 1)
    await end()
  })

  test('the control: a sound frame of the same stranger is mixed, once', async () => {
    const { victim, stranger, run, send, digest, end } = await besieged()
    const before = await digest()
    const moved = run.initial.map((value) => value + 0.5)
    await send(moved)
    assert.deepEqual(
      victim.of('mix').map((event) => event.with),
      [stranger.id],
    )
    assert.notEqual(await digest(), before)
    const after = (await run.learner.snapshot()).parameters
    assert.ok(after.every((value, i) => Math.abs(value - (run.initial[i]! + 0.25)) < 1e-6))
    await send(moved, { sequence: 1 })
    assert.equal(victim.of('mix').length, 1)
    assert.deepEqual(
      victim.of('refused').map((event) => event.code),
      ['stale_version'],
    )
    await end()
  })

  test('a frame that gossip delivers late, or after its author said goodbye, is dropped and nobody is blamed', async () => {
    const { swarm, victim, stranger, run, send, end } = await besieged()
    const moved = run.initial.map((value) => value + 0.5)
    await send(moved, { sequence: 7 })
    await send(moved, { sequence: 6 })
    await stranger.publish(
      beaconTopic(run.id),
      encodeBeacon({
        incarnation: 1,
        sequence: 1,
        epoch: 1,
        version: 1,
        steps: 1,
        returnMean: null,
        digest: new Uint8Array(32),
        sketch: new Float32Array(SKETCH_BUCKETS),
        holding: true,
        leaving: true,
        observing: false,
        addresses: [],
      }),
    )
    await swarm.clock.run(100)
    await send(moved, { sequence: 8 })
    assert.equal(victim.of('mix').length, 1)
    assert.deepEqual(victim.of('refused'), [])
    assert.equal(victim.peer.counters().messagesLate, 2)
    assert.deepEqual(
      victim.of('peer').map(({ state }) => state),
      ['connecting', 'alive', 'left'],
    )
    await end()
  })

  test('frames beyond the rate of their author are dropped unread, all of them counted, a few of them told', async () => {
    const { victim, run, send, digest, end } = await besieged()
    const values = run.initial.map((value) => value + 0.5)
    const cost = Math.max(MIN_FRAME_COST_BYTES, 4 * values.length)
    const allowed = Math.floor((FRAME_BYTE_RATE.burst + FRAME_BYTE_RATE.perSecond) / cost)
    await Promise.all(Array.from({ length: allowed + 600 }, (_, i) => send(values, { sequence: i + 1, waitMs: 0 })))
    await send(values, { sequence: 1 })
    const { refused_rate_limited: dropped } = victim.peer.counters()
    assert.ok(dropped !== undefined && dropped >= 600 && dropped <= 1_200, String(dropped))
    assert.ok(victim.of('refused').length <= TOLD_REFUSALS.burst + 3 * TOLD_REFUSALS.perSecond)
    assert.equal(victim.of('mix').length, 1)
    assert.match(await digest(), /^[0-9a-f]{64}$/)
    await end()
  })

  test('beacons that are noise or too many are refused and counted', async () => {
    const { swarm, victim, stranger, run, end } = await besieged()
    for (let i = 0; i < 3; i++) await stranger.publish(beaconTopic(run.id), Uint8Array.of(i, 1, 2))
    await swarm.clock.run(500)
    const codes = victim.of('refused').map((event) => event.code)
    assert.ok(codes.length > 0 && codes.every((code) => code === 'bad_beacon'), codes.join())
    await end()
  })
})
