/** The environments that come with Grapevine. */
import { CartPoleRows } from './classic/cartpole.ts'
import { refuseOptions } from './options.ts'
import { type Rows, singleOf, vectorOf } from './rows.ts'
import type { EnvironmentSpec } from './types.ts'

type Facts = Omit<EnvironmentSpec, 'make' | 'makeVector'>

/** A spec whose environments take no options. */
function plain(facts: Facts, build: (count: number) => Rows): EnvironmentSpec {
  return {
    ...facts,
    make(options) {
      refuseOptions(facts.id, options)
      return singleOf(build(1))
    },
    makeVector(count, options, maxEpisodeSteps) {
      refuseOptions(facts.id, options)
      return vectorOf(build(count), maxEpisodeSteps)
    },
  }
}

export const BUILTIN: readonly EnvironmentSpec[] = [
  plain(
    {
      id: 'CartPole-v1',
      version: '1',
      description: 'keep a pole upright on a cart; 1 a step until it falls or the cart leaves',
      threshold: 475,
      maxEpisodeSteps: 500,
    },
    (count) => new CartPoleRows(count),
  ),
]
