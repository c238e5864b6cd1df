import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_AUTHORS_PER_ADDRESS, QUOTA_MEMORY_MS } from '../../src/peer/limits.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const pairwise = { strategy: 'pairwise' }
const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

/** `count` peers that hold and make their rounds when told to, moved apart by 3, 6, ... */
async function held(count: number, flags: Readonly<Record<string, unknown>> = {}) {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
  const peers = [await swarm.add({ ...options, flags: { ...pairwise, ...flags } })]
  for (let i = 1; i < count; i++) peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
  // Everybody is connected to everybody.
  for (const a of peers)
    for (const b of peers.slice(peers.indexOf(a) + 1))
      await swarm.during(a.network.dial(b.network.addresses()[0]!, new AbortController().signal))
  ids.push(...peers.map(({ network }) => network.id).sort())
  const initial = peers[0]!.peer.run.initial
  for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(initial.map(() => 3 * i))
  const shiftOf = async (virtual: VirtualPeer) => {
    const shifts = (await parametersOf(virtual)).map((value, i) => value - initial[i]!)
    const mean = shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length
    assert.ok(
      shifts.every((shift) => Math.abs(shift - mean) < 1e-4),
      'one shift everywhere',
    )
    return mean
  }
  const end = async () => {
    for (const peer of peers) await peer.leave()
  }
  return { swarm, peers, shiftOf, end }
}

const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-4, `${value} is not ${expected}`)

describe('pairwise', () => {
  test('one exchange: both are their mean, both say so, and nothing stays open once it is told', async () => {
    const { swarm, peers, shiftOf, end } = await held(2)
    const [a, b] = peers as [VirtualPeer, VirtualPeer]
    await swarm.during(a.peer.round({ partner: b.network.id }))
    near(await shiftOf(a), 1.5)
    near(await shiftOf(b), 1.5)
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const [mix] = one.of('mix')
      assert.equal(mix?.with, other.network.id)
      assert.equal(mix?.strategy, 'pairwise')
    }
    assert.equal(b.peer.counters().outcomesKept, 1)
    assert.equal(a.peer.counters().exchanges, 1)
    await swarm.clock.run(10_000)
    assert.equal(b.peer.counters().outcomesKept, 0)
    assert.deepEqual([...a.peer.ledger(), ...b.peer.ledger()], [])
    await end()
  })

  test('all propose at once: crossing proposals become one exchange, others hear busy, and the mean stays', async () => {
    const { swarm, peers, shiftOf, end } = await held(6)
    for (let round = 0; round < 12; round++) await swarm.during(Promise.all(peers.map(({ peer }) => peer.round())))
    const shifts = await Promise.all(peers.map(shiftOf))
    near(
      shifts.reduce((sum, shift) => sum + shift, 0),
      45,
    )
    assert.ok(Math.max(...shifts) - Math.min(...shifts) < 1, `${shifts}`)
    const sum = (name: string) => peers.reduce((total, { peer }) => total + (peer.counters()[name] ?? 0), 0)
    assert.equal(sum('exchanges'), sum('exchangesAnswered'))
    assert.ok(sum('exchangesBusy') > 0)
    assert.equal(sum('exchangesFailed') + sum('exchangesLost') + sum('roundsFailed'), 0)
    await end()
  })

  test('of one place so many authors are exchanged with, whoever proposes, and not one more', async () => {
    const { swarm, peers, end } = await held(MAX_AUTHORS_PER_ADDRESS + 2, { 'strict-quotas': true })
    const [strict, ...others] = peers as [VirtualPeer, ...VirtualPeer[]]
    const last = others.at(-1)!
    for (const other of others) await swarm.during(other.peer.round({ partner: strict.network.id }))
    const mixedWith = () => new Set(strict.of('mix').map((event) => event.with))
    assert.deepEqual(mixedWith(), new Set(others.slice(0, -1).map(({ network }) => network.id)))
    assert.equal(last.of('mix').length, 0)
    assert.equal(strict.peer.counters().refused_quota, 1)
    await swarm.during(strict.peer.round({ partner: last.network.id }))
    assert.equal(strict.peer.counters().refused_quota, 2)
    assert.equal(last.of('mix').length, 0)
    // Its causes can be seen, and nobody is trusted less for where he lives.
    assert.equal(strict.peer.authors.get(last.network.id)!.trust.score, 1)
    await swarm.clock.run(QUOTA_MEMORY_MS + 1_000)
    await swarm.during(strict.peer.round({ partner: last.network.id }))
    assert.ok(mixedWith().has(last.network.id))
    await swarm.clock.run(10_000)
    assert.deepEqual([...strict.peer.ledger(), ...last.peer.ledger()], [])
    await end()
  })

  test('two that propose to each other at once exchange once', async () => {
    const { swarm, peers, shiftOf, end } = await held(2)
    const [a, b] = peers as [VirtualPeer, VirtualPeer]
    await swarm.during(Promise.all([a.peer.round({ partner: b.network.id }), b.peer.round({ partner: a.network.id })]))
    near(await shiftOf(a), 1.5)
    near(await shiftOf(b), 1.5)
    assert.equal(a.peer.counters().exchanges! + b.peer.counters().exchanges!, 1)
    await end()
  })

  test('who waits for a slow one that proposes to it, too, turns to nobody else meanwhile', async () => {
    const { swarm, peers, shiftOf, end } = await held(4, { partner: 'exponential' })
    const [slow] = peers.toSorted((a, b) => (a.network.id < b.network.id ? -1 : 1))
    const { learner } = slow!.peer.run
    const snapshot = learner.snapshot.bind(learner)
    learner.snapshot = async () => {
      await swarm.clock.sleep(50)
      return snapshot()
    }
    for (let round = 0; round < 2; round++) await swarm.during(Promise.all(peers.map(({ peer }) => peer.round())))
    learner.snapshot = snapshot
    for (const peer of peers) near(await shiftOf(peer), 4.5)
    const total = (name: string) => peers.reduce((sum, { peer }) => sum + peer.counters()[name]!, 0)
    assert.deepEqual([total('exchanges'), total('exchangesBusy')], [4, 0])
    await end()
  })

  test('exponential: exact after log2 n rounds', async () => {
    const { swarm, peers, shiftOf, end } = await held(8, { partner: 'exponential', robust: 'none' })
    for (let round = 0; round < 3; round++) await swarm.during(Promise.all(peers.map(({ peer }) => peer.round())))
    for (const peer of peers) near(await shiftOf(peer), 10.5)
    await end()
  })

  for (const partner of ['exponential', 'ring']) {
    test(`${partner}: partners wait for each other, so that everybody meets them in order, each pair once`, async () => {
      const { swarm, peers, shiftOf, end } = await held(8, { partner, robust: 'none' })
      const rounds = partner === 'exponential' ? 3 : 6
      const all = async ({ peer }: VirtualPeer, i: number) => {
        await swarm.clock.sleep(37 * ((i * 5) % 8))
        for (let round = 0; round < rounds; round++) await peer.round()
      }
      await swarm.during(Promise.all(peers.map(all)))
      const sum = (name: string) => peers.reduce((total, { peer }) => total + (peer.counters()[name] ?? 0), 0)
      assert.equal(sum('exchanges'), 4 * rounds)
      assert.equal(sum('exchangesFailed') + sum('exchangesLost') + sum('roundsFailed'), 0)
      if (partner === 'exponential') for (const peer of peers) near(await shiftOf(peer), 10.5)
      await end()
    })
  }

  test('a partner that does not come is not waited for much longer than a second, and one that is many rounds behind not at all', async () => {
    const { swarm, peers, end } = await held(3, { partner: 'ring', robust: 'none' })
    const [a, b, c] = [...peers].sort((x, y) => (x.network.id < y.network.id ? -1 : 1)) as [VirtualPeer, VirtualPeer, VirtualPeer]
    // Round 1 of three pairs ranks 1 and 2, round 2 ranks 0 and 1, and so on in turn; all make the first.
    await swarm.during(Promise.all([a, b, c].map(({ peer }) => peer.round())))
    const took = async (one: VirtualPeer) => {
      const startMs = swarm.clock.now()
      await swarm.during(one.peer.round())
      return swarm.clock.now() - startMs
    }
    const partners = (one: VirtualPeer) => one.of('mix').map((mix) => mix.with)
    // b comes to its second round and finds a, which has nothing to do; then to its third, and c has not made its second.
    await took(b)
    assert.equal(partners(b).at(-1), a.network.id)
    const waited = await took(b)
    assert.ok(waited >= 1_000 && waited < 3_500, `${waited} ms`)
    assert.equal(partners(b).at(-1), a.network.id)
    for (let round = 4; round < 11; round++) await took(b)
    // Its eleventh is with c, which is ten behind.
    assert.ok((await took(b)) < 500)
    assert.equal(partners(b).at(-1), c.network.id)
    await end()
  })

  test('while all learn, at their own pace', async () => {
    const swarm = new VirtualSwarm()
    const a = await swarm.add({ flags: pairwise })
    const b = await swarm.add({ join: a.network.addresses() })
    const c = await swarm.add({ join: a.network.addresses() })
    await swarm.until(() => [a, b, c].every((peer) => peer.of('mix').length >= 20), 60_000, 'all mix')
    for (const peer of [a, b, c]) {
      assert.equal(peer.peer.counters().exchangesFailed, 0)
      assert.deepEqual(peer.of('refused'), [])
      // Replicas that begin to learn move fast and are told to be far apart; nothing else is wrong.
      assert.deepEqual(
        peer.of('warning').filter(({ code }) => code !== 'far_apart'),
        [],
      )
    }
    await c.crash()
    const mixes = a.of('mix').length
    await swarm.until(() => a.of('mix').length > mixes + 20, 60_000, 'the others go on')
    for (const peer of [a, b]) await peer.leave()
  })
})
