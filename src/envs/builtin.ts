/** The environments that come with Grapevine. */
import { AcrobotRows } from './classic/acrobot.ts'
import { CARTPOLE_OPTIONS, CartPoleRows } from './classic/cartpole.ts'
import { MountainCarContinuousRows, MountainCarRows } from './classic/mountain-car.ts'
import { PendulumRows } from './classic/pendulum.ts'
import { DEEP_SEA_OPTIONS, DeepSeaRows } from './deep-sea/deep-sea.ts'
import { LanderRows } from './lander/lander.ts'
import { MINATAR } from './minatar/specs.ts'
import { type NumberOption, readNumbers, refuseOptions } from './options.ts'
import { type Rows, singleOf, vectorOf } from './rows.ts'
import { withCompanions } from './spread/companions.ts'
import { AGENTS, SpreadRows } from './spread/spread.ts'
import type { EnvironmentSpec } from './types.ts'

type Facts = Omit<EnvironmentSpec, 'make' | 'makeVector'>

/** A spec whose environments take no options. */
function plain(facts: Facts, build: (count: number) => Rows, buildOne: () => Rows = () => build(1)): EnvironmentSpec {
  return {
    ...facts,
    make(options) {
      refuseOptions(facts.id, options)
      return singleOf(buildOne())
    },
    makeVector(count, options, maxEpisodeSteps) {
      refuseOptions(facts.id, options)
      return vectorOf(build(count), maxEpisodeSteps)
    },
  }
}

/** One with numbers as options. */
function tunable<Name extends string>(
  facts: Facts,
  options: Readonly<Record<Name, NumberOption>>,
  build: (count: number, chosen: Readonly<Record<Name, number>>) => Rows,
): EnvironmentSpec {
  return {
    ...facts,
    options,
    make: (given) => singleOf(build(1, readNumbers(facts.id, given, options))),
    makeVector: (count, given, maxEpisodeSteps) => vectorOf(build(count, readNumbers(facts.id, given, options)), maxEpisodeSteps),
  }
}

export const BUILTIN: readonly EnvironmentSpec[] = [
  tunable(
    {
      id: 'CartPole-v1',
      version: '1',
      description: 'keep a pole upright on a cart; 1 a step until it falls or the cart leaves',
      threshold: 475,
      maxEpisodeSteps: 500,
    },
    CARTPOLE_OPTIONS,
    (count, physics) => new CartPoleRows(count, physics),
  ),
  plain(
    {
      id: 'Acrobot-v1',
      version: '1',
      description: 'swing the tip of two links above the bar; -1 a step until it is there',
      threshold: -100,
      maxEpisodeSteps: 500,
    },
    (count) => new AcrobotRows(count),
  ),
  plain(
    {
      id: 'MountainCar-v0',
      version: '1',
      description: 'rock a weak car up to the flag; -1 a step until it is there',
      threshold: -110,
      maxEpisodeSteps: 200,
    },
    (count) => new MountainCarRows(count),
  ),
  plain(
    {
      id: 'MountainCarContinuous-v0',
      version: '1',
      description: 'the same with a continuous force; 100 at the flag, minus a tenth of the squared force each step',
      threshold: 90,
      maxEpisodeSteps: 999,
    },
    (count) => new MountainCarContinuousRows(count),
  ),
  plain(
    {
      id: 'Pendulum-v1',
      version: '1',
      description: 'swing a pendulum up and hold it; minus angle, speed and torque squared each step, at best 0',
      threshold: null,
      maxEpisodeSteps: 200,
    },
    (count) => new PendulumRows(count),
  ),
  plain(
    {
      id: 'LunarLander-v3',
      version: '1',
      description: 'land between two flags with four engine settings; shaped reward, 100 at rest, -100 for a crash',
      threshold: 200,
      maxEpisodeSteps: 1000,
    },
    (count) => new LanderRows(count, false),
  ),
  plain(
    {
      id: 'LunarLanderContinuous-v3',
      version: '1',
      description: 'the same with continuous engines',
      threshold: 200,
      maxEpisodeSteps: 1000,
    },
    (count) => new LanderRows(count, true),
  ),
  plain(
    {
      id: 'Spread-v0',
      version: '1',
      description: 'three agents cover three landmarks; minus the uncovered distances and 1 a collision each step',
      threshold: -20,
      maxEpisodeSteps: 25,
      agents: AGENTS,
    },
    (count) => new SpreadRows(count),
    withCompanions,
  ),
  tunable(
    {
      id: 'DeepSea-v0',
      version: '1',
      description: 'sink through a grid; each step right costs a little, only going right all the way pays 1',
      threshold: 0.9,
      maxEpisodeSteps: null,
    },
    DEEP_SEA_OPTIONS,
    (count, chosen) => new DeepSeaRows(count, chosen),
  ),
  ...MINATAR,
]
