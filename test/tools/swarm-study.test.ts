import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellResult } from '../../scripts/bench/swarm/cell.ts'
import { drawStudy, studyTable } from '../../scripts/bench/swarm/report.ts'

function results(nodes: number, sustained: readonly (number | null)[]): CellResult[] {
  return sustained.map((steps, seed) => ({
    cell: { algo: 'a2c', env: 'CartPole-v1', nodes, seed, flags: {}, steps: 100_000, evalEvery: 256, threshold: null },
    sustained: steps,
    steps: steps ?? 100_000,
    bytes: nodes === 1 ? 0 : 16_000_000,
    finalReturn: 475,
    rounds: 1,
    curve: [],
  }))
}

test('medians, quartiles, failures and the ratio to one peer alone', () => {
  const study = [...results(1, [20_000, 30_000, 40_000, null]), ...results(8, [10_000, 10_000, 10_000])]
  const [alone, together] = studyTable(study).split('\n').slice(2)
  assert.match(alone!, /\| a2c, CartPole-v1 \| 1 \| 35 \[30, never\] \| 1 of 4 \| - \| 0 \|/)
  // The median alone lies between 20 and never; with 8 it is 10 in every resample.
  assert.match(together!, /\| 8 \| 10 \[10, 10\] \| 0 of 3 \| 3.5 \[2\.?\d*, never\] \| 2 \|/)
  assert.match(drawStudy(study), /^<svg .*<\/svg>\n$/s)
})

test('each side has its own settings where it is told so, and is still compared', () => {
  const own = (result: CellResult, flags: Record<string, string>) => ({ ...result, cell: { ...result.cell, flags, study: {} } })
  const alone = results(1, [30_000]).map((result) => own(result, { 'set.horizonSteps': '50000' }))
  const together = results(8, [10_000]).map((result) => own(result, { preset: 'swarm' }))
  const rows = studyTable([...alone, ...together])
    .split('\n')
    .slice(2)
  assert.match(rows[0]!, /set.horizonSteps 50000 \| 1 \| 30 /)
  assert.match(rows[1]!, /preset swarm \| 8 \| 10 \[10, 10\] \| 0 of 1 \| 3 \[3, 3\]/)
  assert.equal(drawStudy([...alone, ...together]).match(/<polyline/g)?.length, 1)
})
