/** A peer that ended in whatever way goes on from its data folder: where it stood alone, or with what its swarm has learned since. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSettings } from '../../src/peer/settings.ts'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { listCheckpoints } from '../../src/store/checkpoints.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { decodeBeacon } from '../../src/wire/beacon.ts'
import { decodeFrameHeader } from '../../src/wire/frame.ts'
import { beaconTopic, parameterTopic } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const FEW_SECONDS = { checkpointSeconds: 5 }
/** An hour is long: few updates and rounds in it. */
const SELDOM = { checkpointSeconds: 5, minPeriodMs: 5_000 }

test('alone, a peer goes on bit for bit from its last checkpoint, whenever it crashed', async () => {
  const swarm = new VirtualSwarm()
  const storage = new MemoryStorage()
  const first = await swarm.add({ storage, set: FEW_SECONDS, flags: { deterministic: true } })
  await swarm.until(() => first.of('checkpoint').length === 3, 30_000, 'three checkpoints')
  const { learner } = first.peer.run
  const saved = await swarm.during(learner.saveState({ replay: true }))
  await swarm.clock.run(3_000)
  const { updates } = learner.progress()
  await swarm.during(learner.hold())
  const later = (await learner.snapshot()).parameters.slice()
  const reached = learner.progress().updates
  await first.crash()

  const second = await swarm.add({ storage, set: FEW_SECONDS, flags: { deterministic: true }, resume: { as: 1 } })
  assert.equal(second.peer.run.id, first.peer.run.id)
  assert.deepEqual(
    second.events.filter(({ event }) => event === 'warning' || event === 'joined'),
    [],
  )
  assert.ok(second.peer.run.learner.progress().updates >= saved.counters![0]! && second.peer.run.learner.progress().updates < updates)
  await swarm.during(second.peer.run.learner.reach(reached))
  await swarm.during(second.peer.run.learner.hold())
  assert.equal(second.peer.run.learner.progress().updates, reached)
  assert.deepEqual((await second.peer.run.learner.snapshot()).parameters, later)
  await second.leave()
})

test('after an hour away a peer finds its swarm by itself, takes over what it learned, and never counts back', async () => {
  const swarm = new VirtualSwarm()
  const storage = new MemoryStorage()
  // The founder may be gone by then: the address of the third was heard.
  const founder = await swarm.add({ updateMs: 500, set: SELDOM })
  const away = await swarm.add({ join: founder.network.addresses(), storage, updateMs: 500, set: SELDOM })
  const third = await swarm.add({ join: founder.network.addresses(), updateMs: 500, set: SELDOM })
  const said = await listenTo(swarm, away)
  await swarm.until(() => away.peer.alive === 2 && away.of('mix').length > 0, 30_000, 'all three average')
  await swarm.until(() => away.of('checkpoint').length >= 3, 60_000, 'checkpoints and addresses are kept')
  await swarm.until(() => said().frames.length >= 3, 120_000, 'it publishes')
  const heard = third.peer.authors.get(away.network.id)!
  const before = heard.beacon!.incarnation
  await away.crash()
  await swarm.clock.run(1_800_000)
  await founder.leave()
  await swarm.clock.run(1_800_000)
  assert.equal(third.peer.alive, 0)
  const once = said()

  const back = await swarm.add({ storage, updateMs: 500, resume: { as: 2 }, set: SELDOM })
  assert.equal(back.network.id, away.network.id)
  const [joined] = back.of('joined')
  assert.ok(joined, 'it caught up')
  assert.equal(joined.from, third.network.id)
  assert.equal(third.of('served').at(-1)!.digest, joined.digest)
  assert.ok(joined.version > 6_000, `version ${joined.version}`)
  await swarm.until(
    () => third.peer.alive === 1 && back.of('mix').length > 0 && third.of('mix').some(({ with: peer }) => peer === back.network.id),
    30_000,
    'both average again',
  )
  assert.ok(heard.beacon!.incarnation > before)
  assert.deepEqual(third.of('refused'), [])
  await swarm.until(() => said().frames.length >= once.frames.length + 3, 120_000, 'it publishes again')
  const all = said()
  for (const kind of ['beacons', 'frames'] as const) {
    const [first, later] = [once[kind], all[kind].slice(once[kind].length)]
    assert.ok(first.length >= 3 && later.length >= 3, `${first.length} and ${later.length} ${kind}`)
    // Each is newer than the one before, over both lives, and every one of the second life carries its incarnation.
    assert.ok(isRising(all[kind]), JSON.stringify(all[kind]))
    assert.ok(later.every(([incarnation]) => incarnation === heard.beacon!.incarnation))
  }
  await back.leave()
  await third.leave()
})

/** What `peer` publishes from now on, in whatever life: (incarnation, sequence) of each message, as somebody connected to everyone hears it. */
async function listenTo(swarm: VirtualSwarm, peer: VirtualPeer) {
  const ear = swarm.hub.join(examplePeerId(99))
  await ear.start(new AbortController().signal)
  const heard: { beacons: [number, number][]; frames: [number, number][] } = { beacons: [], frames: [] }
  ear.subscribe(beaconTopic(peer.peer.run.id), 1_024, (from, bytes) => {
    const { incarnation, sequence } = decodeBeacon(bytes)
    if (from === peer.network.id) heard.beacons.push([incarnation, sequence])
    return 'accept'
  })
  ear.subscribe(parameterTopic(peer.peer.run.id), 1_048_576, (from, bytes) => {
    const { incarnation, sequence } = decodeFrameHeader(bytes)
    if (from === peer.network.id) heard.frames.push([incarnation, sequence])
    return 'accept'
  })
  const address = peer.network.addresses()[0]!
  await swarm.during(ear.dial(address, new AbortController().signal))
  // When it comes back it is dialled as soon as it is there.
  const again = () => void ear.dial(address, new AbortController().signal).catch(() => undefined)
  const redial = () => {
    if (!ear.peers().some(({ id }) => id === peer.network.id)) again()
    swarm.clock.after(1_000, redial)
  }
  redial()
  return () => ({ beacons: [...heard.beacons], frames: [...heard.frames] })
}

function isRising(pairs: readonly (readonly [number, number])[]): boolean {
  return pairs.every(([incarnation, sequence], i) => {
    const [before, last] = pairs[i - 1] ?? [0, -1]
    return incarnation > before || (incarnation === before && sequence > last)
  })
}

test('a full disk stops checkpoints and nothing else; the next after space returns succeeds', async () => {
  const swarm = new VirtualSwarm()
  const storage = new MemoryStorage()
  const write = storage.write.bind(storage)
  let full = false
  storage.write = (name, bytes, options) => {
    if (full && name.startsWith('checkpoints/')) {
      const reason = 'ENOSPC: no space left on device, write'
      return Promise.reject(new GrapevineError('storage', 'local', `Cannot write ${name} in the data folder: ${reason}.`, { name, reason }))
    }
    return write(name, bytes, options)
  }
  const peer = await swarm.add({ storage, set: FEW_SECONDS })
  await swarm.until(() => peer.of('checkpoint').length === 2, 30_000, 'two checkpoints')
  full = true
  const { updates } = peer.peer.run.learner.progress()
  await swarm.until(() => peer.of('warning').length === 2, 30_000, 'two that fail')
  assert.equal(peer.of('warning')[0]!.code, 'checkpoint_failed')
  assert.match(peer.of('warning')[0]!.message, /training goes on.*ENOSPC/)
  assert.ok(peer.peer.run.learner.progress().updates > updates + 5_000)
  assert.equal((await listCheckpoints(storage)).length, 2)
  full = false
  await swarm.until(() => peer.of('checkpoint').length === 3, 30_000, 'one more')
  await peer.leave()
})

test("what is resumed decides what the run is; the rest is this peer's own", () => {
  const resolve = (flags: Readonly<Record<string, unknown>>, command: 'start' | 'join' = 'start') =>
    resolveSettings({ command, addresses: command === 'join' ? ['127.0.0.1:1'] : [], flags, file: null, randomSeed: 1 })
  const settings = resolve({ resume: './here', set: ['checkpointSeconds=7', 'minPeriodMs=0'], lan: true, 'checkpoint-replay': true })
  assert.deepEqual(settings.run, { resume: true })
  assert.equal(settings.dataDir, './here')
  assert.deepEqual([settings.checkpointMs, settings.checkpointReplay, settings.minPeriodMs, settings.mdns], [7_000, true, 0, true])
  assert.equal(resolve({ resume: true, 'data-dir': './there' }).dataDir, './there')
  assert.ok('found' in resolve({ resume: false }).run)
  const refusals: readonly [Readonly<Record<string, unknown>>, 'start' | 'join', RegExp][] = [
    [{ resume: true, env: 'CartPole-v1' }, 'start', /^--env is decided by the run that is resumed; leave it out\.$/],
    [{ resume: true, set: ['learningRate=1'] }, 'start', /^"learningRate" \(--set\) is decided by the run that is resumed/],
    [{ resume: './a', 'data-dir': './b' }, 'start', /goes on where it is stored\.$/],
    [{ resume: true }, 'join', /^--resume goes with start/],
    [{ set: ['checkpointSeconds=0'] }, 'start', /^checkpointSeconds \(--set\) must be a whole number from 1 to 86400/],
  ]
  for (const [flags, command, message] of refusals) assert.throws(() => resolve(flags, command), { code: 'usage', message })
})
