/** Joining when something is in the way: peers without a run, silent, of another run, or gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANSWER_TIMEOUT_MS, NO_RUN_MS, NO_RUN_RETRY_MS } from '../../src/peer/limits.ts'
import type { Network } from '../../src/ports/network.ts'
import { MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES } from '../../src/wire/limits.ts'
import { STATE_PROTOCOL } from '../../src/wire/protocol.ts'
import { decodeStateRequest, encodeStateRequest } from '../../src/wire/state.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const forever = new AbortController().signal

/** A peer of the network that takes part in nothing. */
async function bystander(swarm: VirtualSwarm, number = 90): Promise<Network> {
  const network = swarm.hub.join(examplePeerId(number))
  await network.start(forever)
  return network
}

const ask = (network: Network, peer: string, body: Uint8Array) =>
  network.request(peer, STATE_PROTOCOL, body, { maxResponseBytes: MAX_RESPONSE_BYTES, timeoutMs: 5_000 })

interface StandIn {
  readonly number: number
  /** Kinds of requests that it breaks off. */
  readonly refuses?: readonly string[]
  readonly delayMs?: number
}

/** Answers requests as `donor` would. */
async function standIn(swarm: VirtualSwarm, donor: VirtualPeer, { number, refuses = [], delayMs = 0 }: StandIn): Promise<string> {
  const network = await bystander(swarm, number)
  await swarm.during(network.dial(donor.network.addresses()[0]!, forever))
  network.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, async (_peer, body) => {
    if (refuses.includes(decodeStateRequest(body).kind)) throw new Error('refused')
    await swarm.clock.sleep(delayMs)
    return ask(network, donor.network.id, body)
  })
  return network.addresses()[0]!
}

test('a peer that is still joining is given a moment', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add()
  const network = await bystander(swarm)
  await swarm.during(network.dial(founder.network.addresses()[0]!, forever))
  swarm.clock.after(NO_RUN_MS / 2, () =>
    network.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, (_peer, body) => ask(network, founder.network.id, body)),
  )
  const joiner = await swarm.add({ join: network.addresses() })
  assert.equal(joiner.of('joined')[0]!.from, network.id)
  await joiner.leave()
  await founder.leave()
})

test('a peer that has no run in the end, or never answers, is named, in time', async () => {
  const swarm = new VirtualSwarm()
  const [idle, silent] = [await bystander(swarm, 90), await bystander(swarm, 91)]
  silent.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, () => new Promise(() => undefined))
  const failure = async (address: string): Promise<{ code: string; message: string; ms: number }> => {
    const beganMs = swarm.clock.now()
    const error = await swarm.add({ join: [address] }).then(
      () => assert.fail('it joined'),
      (reason: { code: string; message: string }) => reason,
    )
    return { code: error.code, message: error.message, ms: swarm.clock.now() - beganMs }
  }
  const without = await failure(idle.addresses()[0]!)
  assert.equal(without.code, 'no_run')
  assert.match(without.message, /still joining a run itself/)
  assert.ok(without.ms <= NO_RUN_MS + NO_RUN_RETRY_MS + 1_000, `${without.ms} ms`)
  const mute = await failure(silent.addresses()[0]!)
  assert.equal(mute.code, 'timeout')
  assert.ok(mute.ms <= ANSWER_TIMEOUT_MS, `${mute.ms} ms`)
})

test('one address that leads into the run is enough, whatever the others do', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add()
  const idle = await bystander(swarm, 90)
  const silent = await bystander(swarm, 91)
  silent.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, () => new Promise(() => undefined))
  const nobody = `/memory/99/p2p/${examplePeerId(99)}`
  const joiner = await swarm.add({ join: [nobody, ...idle.addresses(), ...silent.addresses(), ...founder.network.addresses()] })
  assert.equal(joiner.of('joined')[0]!.from, founder.network.id)
  await joiner.leave()
  await founder.leave()
})

test('a donor that fails is replaced by another of the same run, and of no other', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add()
  const other = await swarm.add({ flags: { seed: 9 } })
  // The first answers first and so decides which run it is.
  const half = await standIn(swarm, founder, { number: 90, refuses: ['snapshot'] })
  const wrong = await standIn(swarm, other, { number: 91, delayMs: 500 })
  const right = await standIn(swarm, founder, { number: 92, delayMs: 500 })
  await assert.rejects(swarm.add({ join: [half, wrong] }), { code: 'no_donor', message: /takes part in another run/ })
  const joiner = await swarm.add({ join: [half, wrong, right] })
  assert.deepEqual([joiner.of('joined')[0]!.from, joiner.peer.run.id], [examplePeerId(92), founder.peer.run.id])
  for (const peer of [joiner, founder, other]) await peer.leave()
})

test('joiners that are gone hold no copies', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add()
  for (const number of [90, 91]) {
    const network = await bystander(swarm, number)
    await swarm.during(network.dial(founder.network.addresses()[0]!, forever))
    await swarm.during(ask(network, founder.network.id, encodeStateRequest({ kind: 'snapshot' })))
    await swarm.during(network.stop())
  }
  const beganMs = swarm.clock.now()
  const joiner = await swarm.add({ join: founder.network.addresses() })
  assert.ok(swarm.clock.now() - beganMs < 5_000)
  await joiner.leave()
  await founder.leave()
})

test('--until solved needs a threshold in a run that has none', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ flags: { env: 'Pendulum-v1' }, waitForPeers: 1 })
  const join = founder.network.addresses()
  await assert.rejects(swarm.add({ join, flags: { until: 'solved' } }), { code: 'usage', message: /--threshold/ })
  const joiner = await swarm.add({ join, flags: { until: 'solved', threshold: -200 } })
  await joiner.leave()
  await founder.leave()
})
