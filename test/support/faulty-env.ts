/**
 * A toy that pays for action 2, and whose option `faults`, a shared word, says how many more times one of its kind crashes or (`hangs`) hangs.
 * `reward` is paid for every action instead.
 */
import type { Environment } from '../../src/envs/types.ts'

export const id = 'Test/Faulty-v0'

export function make({ faults, hangs, reward }: Readonly<Record<string, unknown>>): Environment {
  let step = 0
  let total = 0
  const observation = Float32Array.of(1, -1)
  return {
    observationSpace: { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) },
    actionSpace: { kind: 'discrete', n: 3 },
    reset() {
      step = 0
      return { observation, info: {} }
    },
    step(action) {
      if (++total === 20 && faults instanceof Int32Array && Atomics.sub(faults, 0, 1) > 0) {
        while (hangs === true) {
          // Like an environment that never comes back.
        }
        throw new Error('the door is stuck')
      }
      return {
        observation,
        reward: typeof reward === 'number' ? reward : action === 2 ? 1 : 0,
        terminated: ++step === 4,
        truncated: false,
        info: {},
      }
    },
    close() {},
  }
}
