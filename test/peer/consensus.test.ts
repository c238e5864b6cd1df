import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exactConsensusDistance, relativeDistance } from '../../src/average/distance.ts'
import { Consensus, type ConsensusOptions } from '../../src/peer/consensus.ts'
import { seededRandom } from '../../src/util/random.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

function consensus(changes: Partial<ConsensusOptions> = {}) {
  const dangers: number[] = []
  const options = {
    levels: { target: 0.15, danger: 0.5 },
    period: 20,
    target: null,
    bounds: { least: 1, most: 1_000 },
    onDanger: (relative: number) => void dangers.push(relative),
    ...changes,
  }
  return { seen: new Consensus(options), dangers }
}

describe('consensus as one peer sees it', () => {
  test('two peers that differ by their norm are apart by half of it', () => {
    const { seen } = consensus()
    assert.equal(seen.relative, null)
    seen.mixed([1], 2)
    assert.equal(seen.relative, 0.5)
  })

  for (const [n, authors] of [
    [2, 1],
    [8, 7],
    [16, 3],
  ] as const) {
    test(`of ${n} replicas, hearing ${authors}, the estimate is right to 10 % (root mean square over seeds)`, () => {
      let squaredError = 0
      const seeds = 30
      for (let seed = 0; seed < seeds; seed++) {
        const random = seededRandom('consensus', seed)
        const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
        const common = Float32Array.from({ length: 2000 }, normal)
        const replicas = Array.from({ length: n }, () => common.map((value) => value + 0.2 * normal()))
        const { seen } = consensus()
        // One peer's mixes with changing partners.
        for (let mix = 0; mix < 5; mix++) {
          const heard = Array.from({ length: authors }, (_, i) => replicas[1 + ((mix * authors + i) % (n - 1))]!)
          seen.mixed(
            heard.map((theirs) => relativeDistance(theirs, replicas[0]!)!),
            n,
          )
        }
        squaredError += (seen.relative! / exactConsensusDistance(replicas).relative! - 1) ** 2
      }
      assert.ok(Math.sqrt(squaredError / seeds) < 0.1, String(Math.sqrt(squaredError / seeds)))
    })
  }

  test('a minority of liars does not move it', () => {
    const { seen, dangers } = consensus()
    for (let mix = 0; mix < 20; mix++) seen.mixed([0.1, 1e6, 0.1, 0.1, Number.POSITIVE_INFINITY, 0.1], 7)
    assert.ok(Math.abs(seen.relative! - Math.sqrt((0.01 * 6) / 14)) < 1e-12)
    assert.deepEqual(dangers, [])
  })

  test('the dangerous level warns once when it is crossed, and again only after the danger was over', () => {
    const { seen, dangers } = consensus()
    const mixes = (distance: number, count: number) => {
      for (let mix = 0; mix < count; mix++) seen.mixed([distance], 2)
    }
    mixes(0.5, 10)
    assert.equal(dangers.length, 0)
    mixes(2, 30)
    assert.equal(dangers.length, 1)
    mixes(0.9, 30)
    mixes(2, 30)
    assert.equal(dangers.length, 1)
    mixes(0.1, 30)
    mixes(2, 30)
    assert.equal(dangers.length, 2)
  })

  test('without a target the period stays; with one it settles where the distance is the target', () => {
    const { seen: fixed } = consensus()
    for (let mix = 0; mix < 50; mix++) fixed.mixed([9], 2)
    assert.equal(fixed.period, 20)
    const { seen } = consensus({ target: 0.15 })
    for (let mix = 0; mix < 200; mix++) seen.mixed([0.003 * seen.period], 2)
    // Two peers are apart by half of their difference: 0.003 * 100 / 2.
    assert.ok(Math.abs(seen.period - 100) <= 5, String(seen.period))
  })
})

describe('a swarm with consensus control', () => {
  test('rounds become rarer where replicas are close, and no peer is refused', async () => {
    const swarm = new VirtualSwarm()
    const set = { minPeriodMs: 0, consensusTarget: 0.9 }
    const a = await swarm.add({ flags: { period: 'auto', seed: 3 }, set, waitForPeers: 1 })
    const b = await swarm.add({ join: a.network.addresses(), set: { minPeriodMs: 0 }, waitForPeers: 1 })
    const { averaging } = a.peer.run.manifest
    assert.deepEqual([averaging.period, averaging.periodTarget], [10, 0.9])
    const longer = () => [a, b].every(({ peer }) => peer.counters().period! > 15)
    await swarm.until(longer, 120_000, 'both have longer periods')
    for (const { events } of [a, b]) assert.ok(!events.some(({ event }) => event === 'refused'))
    await a.leave()
    await b.leave()
  })

  test('the outer step keeps a swarm together and takes it elsewhere than plain averaging', async () => {
    const learned = async (outer: string) => {
      const swarm = new VirtualSwarm()
      const flags = { outer, deterministic: true, seed: 3, period: 20 }
      const a = await swarm.add({ flags, set: { minPeriodMs: 0 }, waitForPeers: 1 })
      const b = await swarm.add({ join: a.network.addresses(), set: { minPeriodMs: 0 }, waitForPeers: 1 })
      await swarm.until(() => a.peer.run.learner.progress().updates >= 400, 60_000, 'it learns')
      const replicas = await Promise.all([a, b].map(async ({ peer }) => (await peer.run.learner.snapshot()).parameters.slice()))
      await a.leave()
      await b.leave()
      return replicas
    }
    const [a, b] = await learned('nesterov')
    assert.ok(relativeDistance(a!, b!)! < 0.5)
    const [plain] = await learned('none')
    assert.ok(relativeDistance(a!, plain!)! > 0.01)
  })
})
