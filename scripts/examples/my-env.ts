/**
 * An environment of one's own, whole: a walker on a corridor of nine cells must find the door, which is at the left or at the right end; a
 * sign says where. Try it with `grapevine envs --check scripts/examples/my-env.ts` and train on it with
 * `grapevine start --env ./scripts/examples/my-env.ts`.
 *
 * A module needs one export, `make`; `id`, `description`, `threshold` and `maxEpisodeSteps` are facts for the registry and may be left out.
 */
import type { Environment } from '../../src/envs/types.ts'
import { seededRandom } from '../../src/util/random.ts'

const CELLS = 9

export const id = 'Corridor-v0'
export const description = 'walk to the end of a corridor that a sign points to; 1 at the right door, -1 at the wrong one, -0.01 a step'
export const threshold = 0.95
export const maxEpisodeSteps = 50

export function make(): Environment {
  let random = seededRandom(0)
  let cell = 0
  let door = 0
  // What the player sees: where he is and where the sign points, each from -1 to 1. A new array every time, for the caller keeps it.
  const look = (): Float32Array => Float32Array.of((2 * cell) / (CELLS - 1) - 1, door === 0 ? -1 : 1)
  return {
    observationSpace: { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) },
    actionSpace: { kind: 'discrete', n: 2 },
    reset({ seed } = {}) {
      // All chance comes from one stream, and a seed begins it anew: then episodes can be repeated.
      if (seed !== undefined) random = seededRandom(seed)
      cell = (CELLS - 1) / 2
      door = random.uniform() < 0.5 ? 0 : CELLS - 1
      return { observation: look(), info: {} }
    },
    step(action) {
      cell += action === 0 ? -1 : 1
      const terminated = cell === 0 || cell === CELLS - 1
      const reward = terminated ? (cell === door ? 1 : -1) : -0.01
      return { observation: look(), reward, terminated, truncated: false, info: {} }
    },
    close() {},
  }
}
