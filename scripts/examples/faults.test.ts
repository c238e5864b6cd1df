/**
 * A simulation with faults as a test: four peers learn CartPole while messages are lost, the swarm is cut in two, and one peer crashes and comes
 * back. Everything is virtual time and one seed, so the test takes seconds and never flakes. `node --test scripts/examples/faults.test.ts`
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../src/index.ts'

test('a swarm that is cut, loses messages and a peer comes together again and learns', async () => {
  const { curves, faults, returns, digest } = await simulate({
    nodes: 4,
    rounds: 150,
    period: 5,
    'update-time': '20ms',
    seed: 7,
    scenario: [
      { at: '1s', do: 'loss', probability: 0.2, for: '4s' },
      { at: '2s', do: 'partition', peers: '0-1', for: '3s' },
      { at: '6s', do: 'crash', peers: 3, for: '1s' },
    ],
  })
  assert.deepEqual(
    faults.map(({ do: kind }) => kind),
    ['loss', 'partition', 'crash'],
  )
  const at = (seconds: number) => curves.consensusDistance[curves.virtualSeconds.findIndex((time) => time >= seconds)]!
  const cut = at(4.9)
  const end = curves.consensusDistance.at(-1)!
  assert.ok(end < cut / 2, `distance ${cut} when the cut is about to heal, ${end} at the end`)
  assert.equal(returns.length, 4)
  assert.match(digest, /^[0-9a-f]{64}$/)
})
