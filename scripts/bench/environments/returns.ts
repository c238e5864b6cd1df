/** Do returns have the originals' distribution? Random and hand-written policies, compared with means that were measured there. */
import { allocateActions, allocateBuffers } from '../../../src/envs/buffers.ts'
import { makeVectorEnv } from '../../../src/envs/registry.ts'
import { coverLandmark } from '../../../src/envs/spread/heuristic.ts'
import type { Space } from '../../../src/envs/types.ts'
import { type SeededRandom, seededRandom } from '../../../src/util/random.ts'
import { landLander } from './heuristics.ts'

/** Chooses a discrete action for the row whose observation begins at `at`. */
type Policy = (observations: Float32Array, at: number, space: Space, random: SeededRandom) => number

const anything: Policy = (_observations, _at, space, random) => random.below(space.kind === 'discrete' ? space.n : 1)
const land: Policy = (observations, at) => landLander(observations.subarray(at, at + 8))
const cover: Policy = (observations, at) => coverLandmark(observations, at)

/** `error` is the standard error of the mean that was measured at the original, 0 where it was not given. */
interface Case {
  readonly env: string
  readonly name: string
  readonly policy: Policy
  readonly episodes: number
  readonly expected: number
  readonly error: number
}

const CASES: readonly Case[] = [
  { env: 'MinAtar/Breakout-v0', name: 'random', policy: anything, episodes: 1000, expected: 0.5, error: 0 },
  { env: 'MinAtar/Asterix-v0', name: 'random', policy: anything, episodes: 1000, expected: 0.51, error: 0 },
  { env: 'MinAtar/Freeway-v0', name: 'random', policy: anything, episodes: 1000, expected: 0.13, error: 0 },
  { env: 'MinAtar/Seaquest-v0', name: 'random', policy: anything, episodes: 1000, expected: 0.1, error: 0 },
  { env: 'MinAtar/SpaceInvaders-v0', name: 'random', policy: anything, episodes: 1000, expected: 2.82, error: 0 },
  { env: 'LunarLander-v3', name: 'random', policy: anything, episodes: 100, expected: -182, error: 7 },
  { env: 'LunarLander-v3', name: 'heuristic', policy: land, episodes: 100, expected: 233, error: 11 },
  { env: 'Spread-v0', name: 'heuristic', policy: cover, episodes: 1000, expected: -17.3, error: 0.25 },
]

/** One result for each case among `ids`; `deviations` is how many standard errors the means are apart: within 4 they agree. */
export function* compareReturns(ids: readonly string[]): Generator<Record<string, number | string | boolean>> {
  for (const { env, name, policy, episodes, expected, error } of CASES) {
    if (!ids.includes(env)) continue
    const { returns, lengths } = play(env, policy, episodes)
    const mean = average(returns)
    const standardError = Math.sqrt(average(returns.map((value) => (value - mean) ** 2)) / returns.length)
    const deviations = (mean - expected) / Math.hypot(standardError, error)
    yield {
      env,
      policy: name,
      episodes: returns.length,
      mean: round(mean),
      standardError: round(standardError),
      meanLength: round(average(lengths)),
      expected,
      deviations: round(deviations),
      agrees: Math.abs(deviations) <= 4,
    }
  }
}

/** The first `episodes` / 50 episodes of each of 50 environments: as many of each, so that short ones are not preferred. */
function play(id: string, policy: Policy, episodes: number): { returns: number[]; lengths: number[] } {
  const worlds = 50
  const env = makeVectorEnv(id, worlds)
  const agents = env.count / worlds
  const random = seededRandom(1, 'returns', id)
  const out = allocateBuffers(env)
  const actions = allocateActions(env.actionSpace, env.count)
  const width = env.observationSpace.low.length
  const wanted = Math.ceil(episodes / worlds)
  const running = Array.from({ length: worlds }, () => ({ sum: 0, steps: 0, played: 0 }))
  const returns: number[] = []
  const lengths: number[] = []
  env.reset(0, out.observations)
  while (running.some(({ played }) => played < wanted)) {
    for (let row = 0; row < env.count; row++) actions[row] = policy(out.observations, row * width, env.actionSpace, random)
    env.step(actions, out)
    for (const [world, episode] of running.entries()) {
      const row = world * agents
      episode.sum += out.rewards[row]!
      episode.steps += 1
      if ((out.terminated[row]! | out.truncated[row]!) === 0) continue
      if (episode.played++ < wanted) {
        returns.push(episode.sum)
        lengths.push(episode.steps)
      }
      episode.sum = 0
      episode.steps = 0
    }
  }
  env.close()
  return { returns, lengths }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
