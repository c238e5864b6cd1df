/**
 * Gymnasium's environments under their own ids: `gym:CartPole-v1`, `gym:ALE/Pong-v5`. They are stepped in Python children; the children,
 * their lives and deaths are hidden behind the same synchronous calls as everywhere.
 */
import { GrapevineError } from '../../util/errors.ts'
import type { EnvironmentSpec } from '../types.ts'
import { describe } from './description.ts'
import { readBridgeOptions } from './options.ts'
import { type BridgePlan, planBridge } from './plan.ts'
import { isGymnasiumId } from './script.ts'
import { BridgeSingle } from './single.ts'
import { BridgeVector } from './vector.ts'

type Options = Readonly<Record<string, unknown>>

/**
 * The entry of a `gym:` id; `options` are those that the environment will be made with. Python is asked only when `threshold` or
 * `maxEpisodeSteps` is read or an environment is made: within START_TIMEOUT_MS, the caller waiting, once for each thread. Throws
 * `unknown_environment` for an id that cannot be one.
 */
export function gymEnvironment(id: string, options: Options): EnvironmentSpec {
  if (!isGymnasiumId(id))
    throw new GrapevineError(
      'unknown_environment',
      'local',
      `"${id}" names no Gymnasium environment; write it as gym:CartPole-v1 or gym:ALE/Pong-v5, with its version.`,
      { id },
    )
  const { maxEpisodeSteps: _, ...rest } = options
  const facts = () => describe(id, readBridgeOptions(id, rest))
  return {
    id,
    version: '1',
    description: 'an environment of Gymnasium, stepped in Python',
    get threshold() {
      return facts().threshold
    },
    get maxEpisodeSteps() {
      return facts().maxEpisodeSteps
    },
    make: (given) => new BridgeSingle(plan(id, 1, given, null, false)),
    makeVector: (count, given, maxEpisodeSteps) => new BridgeVector(plan(id, count, given, maxEpisodeSteps, true)),
  }
}

function plan(id: string, count: number, given: Options, maxEpisodeSteps: number | null, autoreset: boolean): BridgePlan {
  const options = readBridgeOptions(id, given)
  return planBridge({ id, options, description: describe(id, options), maxEpisodeSteps, autoreset }, count)
}
