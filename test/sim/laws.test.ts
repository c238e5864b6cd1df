/** Averaging in lock step obeys its theory: the laws of `npm run bench -- laws`, with fewer seeds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LAWS, measureLaw, measurePushSum } from '../../scripts/bench/simulator/laws.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const TOLERANCE = 0.03

for (const law of LAWS) {
  test(`${law.name}: the contraction of a round is the law's`, async () => {
    const { ratio } = await measureLaw(law, law.kind === 'mean' ? 64 : 8, law.kind === 'mean' ? 8 : 1)
    assert.ok(Math.abs(ratio - 1) < TOLERANCE, `measured / law: ${ratio}`)
  })
}

for (const [nodes, rounds] of [
  [8, 3],
  [64, 6],
] as const) {
  test(`exponential: ${nodes} peers hold the mean after ${rounds} rounds`, async () => {
    const flags = { strategy: 'pairwise', partner: 'exponential', learning: 'off', init: 'independent', dim: 100 }
    const { summary } = await runSimulation(resolveSimulation({ ...flags, nodes, rounds }))
    const [start = 0, end = 1] = [summary.consensusDistance[0], summary.consensusDistance.at(-1)]
    assert.ok((end / start) ** 2 <= 1e-12, `${(end / start) ** 2} of the squared distance is left`)
    assert.ok(summary.meanDrift !== null && summary.meanDrift < 1e-6)
  })
}

for (const nodes of [8, 16, 64]) {
  test(`push-sum: ${nodes} peers whose messages take 1 to 4 rounds lose nothing and meet within 200`, async () => {
    const { xi, drift } = await measurePushSum(nodes, 1)
    assert.ok(xi < 1e-6, `${xi} of the squared distance is left`)
    assert.ok(drift < 1e-6, `weights, or the mean by weight, are off by ${drift}`)
  })
}

test('push-sum, free: partners that nobody has connected to are dialled, and all meet within 200 rounds', async () => {
  const flags = { strategy: 'push-sum', learning: 'off', init: 'independent', dim: 64, period: 1, mode: 'free' }
  const { summary } = await runSimulation(
    resolveSimulation({ ...flags, nodes: 16, rounds: 200, 'update-time': '50ms', latency: '50ms-200ms' }),
  )
  const [start = 0, end = 1] = [summary.consensusDistance[0], summary.consensusDistance.at(-1)]
  assert.ok((end / start) ** 2 < 1e-6, `${(end / start) ** 2} of the squared distance is left`)
  assert.ok(summary.meanDrift !== null && summary.meanDrift < 1e-6, `drift ${summary.meanDrift}`)
})

test('a delay is of push-sum in lock step, and in rounds', () => {
  const faults = (flags: Readonly<Record<string, unknown>>) => {
    try {
      resolveSimulation(flags)
    } catch (error) {
      return (error as Error).message
    }
    return 'none'
  }
  assert.match(faults({ delay: '1-4' }), /--delay is of messages that nobody waits for; add --strategy push-sum, or take --latency/)
  assert.match(faults({ delay: '1-4', strategy: 'push-sum', latency: '20ms' }), /--delay counts rounds of lock step/)
  assert.match(faults({ delay: '4-1', strategy: 'push-sum' }), /--delay must be rounds, from 0 to 100, such as 2 or 1-4, not "4-1"/)
  assert.equal(faults({ delay: 2, strategy: 'push-sum' }), 'none')
})
