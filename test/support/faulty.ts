/** The module of faulty-env.ts and settings of a learner in its environment, for what must survive crashes and hangs in threads. */
import { fileURLToPath } from 'node:url'
import { duelingNetwork } from '../../src/learn/networks.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import { toySettings } from '../learn/toy.ts'

export const faultyModule = { file: fileURLToPath(new URL('./faulty-env.ts', import.meta.url)), version: 'test' }

const BOUND = Float32Array.of(1, 1)
const HIDDEN = [{ kind: 'dense', units: 8, activation: 'tanh' }] as const
const DUELING = duelingNetwork(
  { torso: HIDDEN, head: [] },
  { kind: 'box', shape: [2], low: BOUND, high: BOUND },
  { kind: 'discrete', n: 3 },
)

export function faultySettings(algorithm: string, options: Readonly<Record<string, unknown>> = {}, actors = 0): LearnerSettings {
  const own = algorithm === 'apex' ? { learningStarts: 40, batchSize: 16, replayCapacity: 2_000 } : {}
  const network = algorithm === 'apex' ? { network: DUELING } : {}
  const base = toySettings('Test/Faulty-v0', own, { actors, modules: [faultyModule], ...network })
  return { ...base, environment: { id: 'Test/Faulty-v0', options }, algorithm: { ...base.algorithm, id: algorithm } }
}
