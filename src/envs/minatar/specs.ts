/**
 * MinAtar's five games in the registry: -v0 with all six actions, -v1 with those that do something. Options `stickyProbability` (0.1) and
 * `ramping` (true). The original has no time limit, and good players of Breakout never end: episodes are cut at 10,000 steps here.
 */
import { GrapevineError } from '../../util/errors.ts'
import { readOptions } from '../options.ts'
import { Pcg64Rows } from '../pcg64.ts'
import { singleOf, vectorOf } from '../rows.ts'
import type { EnvironmentSpec } from '../types.ts'
import { AsterixRows } from './asterix.ts'
import { BreakoutRows } from './breakout.ts'
import { FreewayRows } from './freeway.ts'
import { ALL_ACTIONS, DOWN, FIRE, type GridRows, type GridSettings, LEFT, NOOP, RIGHT, UP } from './grid-rows.ts'
import { SeaquestRows } from './seaquest.ts'
import { SpaceInvadersRows } from './space-invaders.ts'

const MAX_EPISODE_STEPS = 10_000

type Game = new (count: number, settings: GridSettings) => GridRows

const games: readonly { name: string; description: string; Game: Game; minimal: readonly number[] }[] = [
  {
    name: 'Breakout',
    description: 'break bricks with a ball; 1 a brick, over when the ball is missed',
    Game: BreakoutRows,
    minimal: [NOOP, LEFT, RIGHT],
  },
  {
    name: 'Asterix',
    description: 'gather gold, avoid enemies; 1 a piece, over at a touch',
    Game: AsterixRows,
    minimal: [NOOP, LEFT, UP, RIGHT, DOWN],
  },
  {
    name: 'Freeway',
    description: 'lead a chicken across eight lanes; 1 a crossing, over after 2,501 steps',
    Game: FreewayRows,
    minimal: [NOOP, UP, DOWN],
  },
  {
    name: 'Seaquest',
    description: 'shoot fish, save divers, mind the oxygen; 1 a hit, up to 10 for six divers, over at a touch or without air',
    Game: SeaquestRows,
    minimal: ALL_ACTIONS,
  },
  {
    name: 'SpaceInvaders',
    description: 'shoot aliens that march down; 1 each, over when hit or overrun',
    Game: SpaceInvadersRows,
    minimal: [NOOP, LEFT, RIGHT, FIRE],
  },
]

export const MINATAR: readonly EnvironmentSpec[] = games.flatMap(({ name, description, Game, minimal }) =>
  [ALL_ACTIONS, minimal].map((actions, version): EnvironmentSpec => {
    const id = `MinAtar/${name}-v${version}`
    const build = (count: number, options: Readonly<Record<string, unknown>>): GridRows => {
      const { stickyProbability, ramping } = readOptions(id, options, { stickyProbability: 0.1, ramping: true })
      if (stickyProbability < 0 || stickyProbability > 1)
        throw new GrapevineError(
          'option',
          'local',
          `Option "stickyProbability" of ${id} must lie in 0 to 1, but it is ${stickyProbability}.`,
          { id },
        )
      return new Game(count, { streams: new Pcg64Rows(count), stickyProbability, ramping, actions })
    }
    return {
      id,
      version: '1',
      description,
      threshold: null,
      maxEpisodeSteps: MAX_EPISODE_STEPS,
      make: (options) => singleOf(build(1, options)),
      makeVector: (count, options, limit) => vectorOf(build(count, options), limit),
    }
  }),
)
