/** What pairs exchange under faults never changes the mean of the swarm but by what the ledgers account for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const PAIRS = {
  nodes: 6,
  rounds: 300,
  learning: 'off',
  init: 'independent',
  dim: 100,
  strategy: 'pairwise',
  codec: 'int8',
  period: 1,
  'update-time': '100ms',
  latency: '1ms-90ms',
}

test('with loss, half-open links and crashes the mean drifts by the ledger', async () => {
  const scenario = [
    { at: 0, do: 'loss', probability: 0.2 },
    { at: '5s', do: 'half-open', peers: 1, for: '4s' },
    { at: '10s', do: 'crash', peers: 3, for: '3s' },
    { at: '15s', do: 'crash', peers: 5, for: '3s' },
  ]
  const { summary, faults } = await runSimulation(resolveSimulation({ ...PAIRS, scenario }))
  assert.equal(faults.length, scenario.length)
  assert.ok(summary.meanDrift !== null && summary.meanDrift < 1e-6, `drift ${summary.meanDrift}`)
})
