import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { registerEnv } from '../../src/envs/registry.ts'
import { EXPERIENCE_REQUEST_RATE } from '../../src/peer/limits.ts'
import type { SharedTransitions } from '../../src/ports/learner.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { type NodeEvent, runSimulation } from '../../src/sim/simulate.ts'
import { decodeExperienceResponse, encodeExperienceRequest, encodeExperienceResponse } from '../../src/wire/experience.ts'
import { MAX_EXPERIENCE_BYTES } from '../../src/wire/limits.ts'
import { EXPERIENCE_PROTOCOL } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

const FLAGS = { algo: 'apex', strategy: 'none', 'share-experience': 0.2 }
const SMALL = { environments: 4, learningStarts: 40, batchSize: 20, replayCapacity: 2_000 }

/** Four transitions of CartPole that pay 1. */
function transitions(changes: Partial<SharedTransitions> = {}): SharedTransitions {
  return {
    kind: 'transitions',
    observations: new Float32Array(16).fill(0.1),
    nextObservations: new Float32Array(16).fill(0.2),
    actions: new Int32Array(4),
    rewards: new Float32Array(4).fill(1),
    discounts: new Float32Array(4).fill(0.9),
    tdErrors: new Float32Array(4).fill(1),
    ...changes,
  }
}

/** What a victim is after 300 ms of training beside a stranger whose offers, one at a time, are these. */
async function besieged(
  answers: (offer: (sequence: number, experience: SharedTransitions, runPrefix?: Uint8Array) => Uint8Array) => readonly Uint8Array[],
) {
  const swarm = new VirtualSwarm()
  const ids = [examplePeerId(1), examplePeerId(66)]
  const victim = await swarm.add({ flags: FLAGS, set: SMALL, pace: 'driven', view: () => ids })
  const { run } = victim.peer
  const format = run.learner.describe().experience!
  const stranger = swarm.hub.join(ids[1]!)
  await stranger.start(new AbortController().signal)
  await swarm.during(stranger.dial(victim.network.addresses()[0]!, new AbortController().signal))
  const left = [
    ...answers((sequence, experience, runPrefix = run.prefix) =>
      encodeExperienceResponse({ kind: 'experience', runPrefix, number: { incarnation: 1, sequence }, experience }, format),
    ),
  ]
  stranger.serve(EXPERIENCE_PROTOCOL, 256, async () => left.shift() ?? encodeExperienceResponse({ kind: 'nothing' }, format))
  for (let i = 0; i < 12; i++) {
    await swarm.clock.run(100)
    await swarm.during(victim.peer.pullExperience())
  }
  assert.equal(left.length, 0)
  const { parameters } = await run.learner.snapshot()
  const counters = victim.peer.counters()
  const codes = victim.of('refused').map(({ code }) => code)
  const muted = victim.of('warning').some(({ code }) => code === 'muted')
  await victim.leave()
  await stranger.stop()
  return { parameters, counters, codes, muted }
}

describe('shared experience', () => {
  test('junk changes nothing in a replica, is counted and costs trust; sound experience does change it', async () => {
    const quiet = await besieged(() => [])
    assert.deepEqual([quiet.counters.experienceIn, quiet.counters.experienceRefused, quiet.codes], [0, 0, []])
    const number = (value: number) => Float32Array.of(0.1, value, 0.1, 0.1)
    const junk: readonly (readonly [string, Parameters<typeof besieged>[0]])[] = [
      ['bad_experience', () => [new Uint8Array(0)]],
      ['bad_experience', () => [Uint8Array.of(77)]],
      ['bad_experience', () => [new Uint8Array(MAX_EXPERIENCE_BYTES + 1)]],
      ['bad_experience', (offer) => [offer(1, transitions()).subarray(0, 100)]],
      ['bad_experience', (offer) => [offer(1, transitions({ rewards: number(Number.NaN) }))]],
      ['bad_experience', (offer) => [offer(1, transitions({ tdErrors: number(Number.POSITIVE_INFINITY) }))]],
      ['bad_experience', (offer) => [offer(1, transitions({ actions: Int32Array.of(0, 0, 0, 2) }))]],
      ['bad_experience', (offer) => [offer(1, transitions(), new Uint8Array(16))]],
      ['implausible_experience', (offer) => [offer(1, transitions({ rewards: number(1e9) }))]],
    ]
    for (const [code, answers] of junk) {
      const { parameters, counters, codes } = await besieged(answers)
      assert.deepEqual(codes, [code])
      assert.equal(counters[`refused_${code}`], 1)
      assert.deepEqual([counters.experienceIn, counters.experienceRefused], [0, 1])
      assert.deepEqual(parameters, quiet.parameters, code)
    }
    const sound = await besieged((offer) => [offer(1, transitions())])
    assert.deepEqual([sound.counters.experienceIn, sound.counters.experienceRefused, sound.codes], [4, 0, []])
    assert.notDeepEqual(sound.parameters, quiet.parameters)
  })

  test('an offer that was taken already is refused, and three lies mute', async () => {
    const replayed = await besieged((offer) => [offer(5, transitions()), offer(5, transitions()), offer(4, transitions())])
    assert.deepEqual(replayed.codes, ['bad_experience', 'bad_experience'])
    assert.equal(replayed.counters.experienceIn, 4)
    assert.ok(!replayed.muted)
    const liar = await besieged(() => [Uint8Array.of(77), Uint8Array.of(77), Uint8Array.of(77)])
    assert.ok(liar.muted)
  })

  test('a peer answers with its last offer what is newer than the asker has, and only so often', async () => {
    const swarm = new VirtualSwarm()
    const donor = await swarm.add({ flags: FLAGS, set: SMALL, pace: 'driven', view: () => [] })
    const format = donor.peer.run.learner.describe().experience!
    const asker = swarm.hub.join(examplePeerId(66))
    await asker.start(new AbortController().signal)
    await swarm.during(asker.dial(donor.network.addresses()[0]!, new AbortController().signal))
    const send = async (bytes: Uint8Array) => {
      const options = { maxResponseBytes: MAX_EXPERIENCE_BYTES, timeoutMs: 5_000 }
      return decodeExperienceResponse(await swarm.during(asker.request(donor.network.id, EXPERIENCE_PROTOCOL, bytes, options)), format)
    }
    const ask = (incarnation: number, sequence: number) => send(encodeExperienceRequest({ after: { incarnation, sequence } }))
    assert.deepEqual(await ask(0, 0), { kind: 'nothing' })
    await swarm.clock.run(200)
    await swarm.during(donor.peer.offerExperience())
    const first = await ask(0, 0)
    assert.ok(first.kind === 'experience' && first.experience.kind === 'transitions')
    assert.equal(first.experience.actions.length, 64)
    assert.deepEqual(first.runPrefix, donor.peer.run.prefix)
    assert.equal(first.number.sequence, 1)
    assert.deepEqual(await ask(first.number.incarnation, 1), { kind: 'nothing' })
    assert.deepEqual(await send(Uint8Array.of(9)), { kind: 'error', code: 'unknown_request' })
    assert.deepEqual(await send(Uint8Array.of(1, 2)), { kind: 'error', code: 'refused' })
    assert.equal(donor.peer.counters().experienceOut, 64)
    await swarm.clock.run(10_000)
    let answered = 0
    while ((await ask(0, 0)).kind === 'experience') answered++
    // Each question takes 10 ms of virtual time there and back, in which a twentieth of another one is earned.
    assert.ok(answered >= EXPERIENCE_REQUEST_RATE.burst && answered <= EXPERIENCE_REQUEST_RATE.burst + 2, String(answered))
    await donor.leave()
    await asker.stop()
  })

  test('what others would refuse is withheld', async () => {
    registerEnv('Test/Large-v0', () => ({
      observationSpace: { kind: 'box', shape: [1], low: Float32Array.of(-1e7), high: Float32Array.of(1e7) },
      actionSpace: { kind: 'discrete', n: 2 },
      reset: () => ({ observation: Float32Array.of(2e6), info: {} }),
      step: () => ({ observation: Float32Array.of(2e6), reward: 0, terminated: true, truncated: false, info: {} }),
      close() {},
    }))
    const swarm = new VirtualSwarm()
    const { peer, leave } = await swarm.add({ flags: { ...FLAGS, env: 'Test/Large-v0' }, set: SMALL, pace: 'driven', view: () => [] })
    await swarm.clock.run(200)
    await swarm.during(peer.offerExperience())
    assert.equal(peer.counters().experienceWithheld, 1)
    await leave()
  })

  test('a run whose rollouts fit into no message is not founded', async () => {
    const flags = { algo: 'impala', 'share-experience': 0.2 }
    await assert.rejects(new VirtualSwarm().add({ flags, set: { rolloutLength: 4_000 } }), {
      code: 'usage',
      message:
        /^One rollout of this run takes \d+ bytes, and peers share 262144 at a time; make rolloutLength or environments \(--set\) smaller, or leave --share-experience out\.$/,
    })
  })

  for (const algo of ['apex', 'impala']) {
    test(`two peers with ${algo} learn from each other at their own pace`, async () => {
      const swarm = new VirtualSwarm()
      const flags = { algo, strategy: 'none', 'share-experience': 0.2 }
      const a = await swarm.add({ flags, set: algo === 'apex' ? SMALL : {} })
      const b = await swarm.add({ join: a.network.addresses() })
      const taken = (peer: typeof a) => peer.peer.counters().experienceIn ?? 0
      await swarm.until(() => taken(a) > 200 && taken(b) > 200, 60_000, 'both take in what the other experienced')
      for (const { peer, events } of [a, b]) {
        assert.equal(peer.counters().experienceRefused, 0)
        assert.ok(!events.some(({ event }) => event === 'refused' || event === 'warning'))
        const { statistics } = peer.run.learner.progress()
        const foreign = algo === 'apex' ? statistics['replay/foreign_share'] : statistics['train/foreign_rollouts']
        assert.ok(foreign! > 0)
      }
      assert.equal(a.peer.run.manifest.experience?.share, 0.2)
      await b.leave()
      await a.leave()
    })
  }

  test('simulations share experience, in both modes the same twice, and without it nothing of the kind is counted', async () => {
    for (const mode of ['lockstep', 'free']) {
      const simulate = async (flags: object) => {
        const events: NodeEvent[] = []
        const set = Object.entries(SMALL).map(([name, value]) => `${name}=${value}`)
        const settings = resolveSimulation({ nodes: 3, rounds: 3, period: 120, algo: 'apex', strategy: 'none', mode, set, ...flags })
        return { ...(await runSimulation(settings, { onEvent: (event) => events.push(event) })).summary, events: events.length }
      }
      const first = await simulate({ 'share-experience': 0.2 })
      assert.deepEqual(await simulate({ 'share-experience': 0.2 }), first)
      const without = await simulate({})
      assert.notEqual(first.digest, without.digest)
      assert.ok(first.bytes > without.bytes)
    }
  })

  test('in lock step experience goes round every hundred updates, whatever the rounds are', async () => {
    const sent = async (rounds: number, period: number) => {
      const set = Object.entries(SMALL).map(([name, value]) => `${name}=${value}`)
      const flags = { nodes: 3, rounds, period, algo: 'apex', strategy: 'none', set, 'share-experience': 0.2 }
      return (await runSimulation(resolveSimulation(flags))).summary
    }
    const [once, often] = [await sent(1, 300), await sent(6, 50)]
    assert.ok(once.bytes > 0)
    assert.deepEqual([often.digest, often.bytes], [once.digest, once.bytes])
  })
})
