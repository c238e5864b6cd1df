/** The module of faulty-env.ts and settings of a learner in its environment, for what must survive crashes and hangs in threads. */
import { fileURLToPath } from 'node:url'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import { toySettings } from '../learn/toy.ts'

export const faultyModule = { file: fileURLToPath(new URL('./faulty-env.ts', import.meta.url)), version: 'test' }

export function faultySettings(algorithm: string, options: Readonly<Record<string, unknown>> = {}, actors = 0): LearnerSettings {
  const base = toySettings('Test/Faulty-v0', {}, { actors, modules: [faultyModule] })
  return { ...base, environment: { id: 'Test/Faulty-v0', options }, algorithm: { ...base.algorithm, id: algorithm } }
}
