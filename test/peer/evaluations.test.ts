import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EvaluatedReplica } from '../../src/peer/evaluations.ts'
import { parameterDigest } from '../../src/util/sha256.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

const STEPS = 6_000

/** A peer alone to its 6,000th step. */
async function alone(flags: Readonly<Record<string, unknown>>, hear?: (evaluated: EvaluatedReplica) => Promise<void>) {
  const swarm = new VirtualSwarm()
  // Slow enough for progress to be reported several times in an interval.
  const peer = await swarm.add({ updateMs: 10, flags: { deterministic: true, seed: 3, until: `steps=${STEPS}`, ...flags } })
  const { learner } = peer.peer.run
  if (hear !== undefined) peer.peer.onEvaluated(hear)
  await swarm.until(() => learner.progress().holding, 60_000, 'it learns to the end')
  await swarm.during(peer.peer.evaluated())
  const digest = parameterDigest((await swarm.during(learner.snapshot())).parameters)
  const { returnMean } = learner.progress()
  await peer.leave()
  return { digest, returnMean, evaluations: peer.of('evaluation'), warnings: peer.of('warning') }
}

test('evaluations come at their intervals, the last one at the end, and training does not notice', async () => {
  const heard: EvaluatedReplica[] = []
  const evaluated = await alone({ 'eval-every': '2_000' }, async (one) => {
    heard.push({ ...one })
  })
  const { evaluations } = evaluated
  assert.equal(evaluations.length, 3)
  for (const [i, { steps, deterministic, stochastic, episodes }] of evaluations.entries()) {
    assert.ok(steps >= 2_000 * (i + 1) && steps < 2_000 * (i + 2), `${steps}`)
    assert.ok(deterministic! >= 1 && deterministic! <= 500 && stochastic! >= 1 && stochastic! <= 500)
    assert.notEqual(deterministic, stochastic)
    assert.equal(episodes, 20)
  }
  assert.equal(evaluations.at(-1)!.steps, STEPS)
  assert.deepEqual(
    heard.map(({ steps }) => steps),
    evaluations.map(({ steps }) => steps),
  )
  // The first is always the best so far; a later one is where it is above all before.
  let best = Number.NEGATIVE_INFINITY
  for (const one of heard) {
    assert.equal(one.best, one.deterministic > best)
    best = Math.max(best, one.deterministic)
    assert.ok(one.replica.version > 0 && one.replica.parameters.length > 0)
  }
  const plain = await alone({})
  assert.deepEqual(plain.evaluations, [])
  assert.deepEqual([evaluated.digest, evaluated.returnMean], [plain.digest, plain.returnMean])
  assert.deepEqual((await alone({ 'eval-every': '2_000' })).evaluations, evaluations)
})

test('a greedy replica has one return, and a listener that fails costs nothing but a warning', async () => {
  const { evaluations, warnings } = await alone({ algo: 'apex', 'eval-every': '3_000', set: ['learningStarts=500'] }, async () => {
    throw new Error('the disk is full')
  })
  assert.deepEqual(
    evaluations.map(({ stochastic }) => stochastic),
    [null, null],
  )
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, message]),
    Array(2).fill(['evaluation_failed', 'the disk is full']),
  )
})
