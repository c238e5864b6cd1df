/** Averaging in lock step obeys its theory: the laws of `npm run bench -- laws`, with fewer seeds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LAWS, measureLaw } from '../../scripts/bench/simulator/laws.ts'
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
