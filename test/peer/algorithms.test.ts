import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactConsensusDistance } from '../../src/average/distance.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

/**
 * How far each algorithm is in the balance of a pole when two peers have made so many steps each: a random policy balances for 22 steps, and
 * the means still hold the first episodes. `updateMs`: ten to twenty rounds of averaging. `apart`: relative consensus distance at the end, below
 * that of peers that never mix (0.12, 0.18, 0.09, 0.53 and 0.37).
 */
const CASES: readonly {
  readonly algo: string
  readonly apart: number
  readonly steps: number
  readonly updateMs: number
  readonly above: number
}[] = [
  { algo: 'a2c', apart: 0.09, steps: 24_000, updateMs: 10, above: 60 },
  { algo: 'a3c', apart: 0.1, steps: 24_000, updateMs: 10, above: 60 },
  { algo: 'impala', apart: 0.05, steps: 24_000, updateMs: 10, above: 60 },
  { algo: 'ppo', apart: 0.25, steps: 6_000, updateMs: 10, above: 60 },
  { algo: 'apex', apart: 0.15, steps: 9_000, updateMs: 2, above: 60 },
]

const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

for (const { algo, apart, steps, updateMs, above } of CASES) {
  test(`two peers learn with ${algo} and stay together`, async () => {
    const swarm = new VirtualSwarm()
    const options = { updateMs, waitForPeers: 1, flags: { algo, deterministic: true, seed: 3, until: `steps=${steps}` } }
    // The second explores on its own: deterministic peers of one run are the same.
    const own = { until: options.flags.until }
    const first = await swarm.add(options)
    const second = await swarm.add({ ...options, flags: own, join: first.network.addresses() })
    const peers = [first, second]
    await swarm.until(() => peers.every(({ peer }) => peer.run.learner.progress().steps >= steps), 600_000, 'both learn to the end')
    const learned = await swarm.during(Promise.all(peers.map(parametersOf)))
    for (const { peer, of } of peers) {
      const { returnMean, statistics } = peer.run.learner.progress()
      assert.ok(of('mix').length >= 10, `${of('mix').length} mixes`)
      assert.equal(of('refused').length, 0)
      assert.ok(returnMean! > above, `mean return ${returnMean}`)
      assert.equal(statistics['train/skipped_updates'], 0)
    }
    const { relative } = exactConsensusDistance(learned)
    assert.ok(relative! > 0 && relative! < apart, `relative distance ${relative}`)
    await first.leave()
    await second.leave()
  })
}
