import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALGORITHMS } from '../../src/learn/hyperparameters.ts'
import { createLearner } from '../../src/learn/learner.ts'
import { duelingNetwork } from '../../src/learn/networks.ts'
import { STATISTICS } from '../../src/learn/statistics.ts'
import { actorThreads } from '../../src/node/actor-threads.ts'
import { registerOwnModule } from '../../src/node/own-module.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import { faultyModule, faultySettings } from '../support/faulty.ts'
import { toySettings } from './toy.ts'

await registerOwnModule(faultyModule)

const BOUND = Float32Array.of(1, 1)
const DUELING = duelingNetwork({ torso: [], head: [] }, { kind: 'box', shape: [2], low: BOUND, high: BOUND }, { kind: 'discrete', n: 3 })

/** Names of all that a learner with these settings reports after a few updates. */
async function reported(settings: LearnerSettings): Promise<readonly string[]> {
  const learner = await createLearner(settings, undefined, actorThreads(settings.actors))
  while (learner.updates < 5 || learner.progress(false, null).episodes === 0) learner.update()
  const names = Object.keys(learner.progress(false, null).statistics)
  learner.dispose()
  return names
}

function settings(algorithm: string, environment: string, actors: number): LearnerSettings {
  if (environment === 'Test/Faulty-v0') return faultySettings(algorithm, {}, actors)
  const base = toySettings(environment)
  const hyperparameters = algorithm === 'apex' ? { learningStarts: 40, batchSize: 16 } : algorithm === 'ppo' ? { rolloutLength: 16 } : {}
  const network = algorithm === 'apex' ? { network: DUELING } : {}
  return { ...base, ...network, algorithm: { id: algorithm, hyperparameters, horizonSteps: 1_000 } }
}

function sharing(algorithm: string): LearnerSettings {
  const base = settings(algorithm, 'Toy/Choice', 0)
  const hyperparameters = { ...base.algorithm.hyperparameters, ...(algorithm === 'apex' ? { batchSize: 20 } : {}) }
  return { ...base, algorithm: { ...base.algorithm, hyperparameters }, experienceShare: 0.1 }
}

/** No Python runs here. */
const ELSEWHERE = ['environment/restarts']

test('every algorithm reports exactly what the table says of it', { timeout: 60_000 }, async () => {
  for (const algorithm of ALGORITHMS) {
    const names = new Set(await reported(settings(algorithm, 'Toy/Choice', 0)))
    if (algorithm !== 'apex') for (const name of await reported(settings(algorithm, 'Toy/Target', 0))) names.add(name)
    for (const name of await reported(settings(algorithm, 'Test/Faulty-v0', 1))) names.add(name)
    if (algorithm === 'apex' || algorithm === 'impala') for (const name of await reported(sharing(algorithm))) names.add(name)
    const expected = Object.entries(STATISTICS).filter(([, { algorithms }]) => algorithms?.includes(algorithm) ?? true)
    assert.deepEqual(
      [...names].sort(),
      expected
        .map(([name]) => name)
        .filter((name) => !ELSEWHERE.includes(name))
        .sort(),
      algorithm,
    )
  }
})
