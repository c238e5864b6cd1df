/** The laws of averaging and how each is measured in a simulation: for the bench, and for the tests, which take fewer seeds. */
import { resolveSimulation } from '../../../src/sim/options.ts'
import { runSimulation } from '../../../src/sim/simulate.ts'

export interface Law {
  readonly name: string
  /** Flags of `grapevine simulate`. */
  readonly flags: Readonly<Record<string, unknown>>
  /** The factor of Xi, the mean squared distance to the mean, that one round leaves of it. */
  readonly factor: (nodes: number) => number
  /**
   * `mean`: the expected factor of every round; the mean of Xi' / Xi over rounds and seeds estimates it. `asymptotic`: where a walk on a ring ends
   * up, read between two late rounds.
   */
  readonly kind: 'mean' | 'asymptotic'
}

const matching = (nodes: number) => (nodes - 2) / (2 * (nodes - 1))
const LOSS = 0.2

export const LAWS: readonly Law[] = [
  {
    name: 'broadcast on a ring',
    flags: { strategy: 'broadcast', partner: 'ring' },
    factor: (nodes) => (1 / 3 + (2 / 3) * Math.cos((2 * Math.PI) / nodes)) ** 2,
    kind: 'asymptotic',
  },
  {
    name: 'ring',
    flags: { strategy: 'pairwise', partner: 'ring' },
    factor: (nodes) => Math.cos((2 * Math.PI) / nodes) ** 2,
    kind: 'asymptotic',
  },
  {
    name: 'random',
    flags: { strategy: 'pairwise', partner: 'random' },
    factor: (nodes) => (1 - 1 / (nodes - 1)) ** (nodes / 2),
    kind: 'mean',
  },
  { name: 'matching', flags: { strategy: 'pairwise', partner: 'matching' }, factor: matching, kind: 'mean' },
  {
    name: 'matching, a fifth lost',
    flags: { strategy: 'pairwise', partner: 'matching', loss: LOSS },
    factor: (nodes) => 1 - (1 - LOSS) * (1 - matching(nodes)),
    kind: 'mean',
  },
]

/** Coordinates of each replica: independent trials of the same walk. */
const DIMENSION = 64
/** Rounds of a seed where every round counts: in later ones the same pairs meet again, and seeds differ more. */
const MEAN_ROUNDS = 5
/** What the slowest mode of a ring must be ahead of the next before the factor is read, and how far it then decays while it is. */
const AHEAD = 1e-3

export interface Measured {
  readonly scheme: string
  readonly nodes: number
  readonly seeds: number
  /** -ln of the factor of one round. */
  readonly law: number
  readonly measured: number
  readonly standardError: number
  readonly ratio: number
}

export async function measureLaw(law: Law, nodes: number, seeds: number): Promise<Measured> {
  const factors: number[] = []
  for (let seed = 1; seed <= seeds; seed++) factors.push(await factorOf(law, nodes, seed))
  const mean = factors.reduce((sum, factor) => sum + factor, 0) / seeds
  const variance = factors.reduce((sum, factor) => sum + (factor - mean) ** 2, 0) / Math.max(1, seeds - 1)
  const expected = -Math.log(law.factor(nodes))
  const measured = -Math.log(mean)
  const standardError = Math.sqrt(variance / seeds) / mean
  return { scheme: law.name, nodes, seeds, law: expected, measured, standardError, ratio: measured / expected }
}

/** Of one seed: the mean factor of a round. */
async function factorOf(law: Law, nodes: number, seed: number): Promise<number> {
  const [from, to] = law.kind === 'mean' ? [0, MEAN_ROUNDS] : lateRounds(law, nodes)
  const flags = { ...law.flags, nodes, rounds: to, seed, learning: 'off', init: 'independent', dim: DIMENSION }
  const { summary } = await runSimulation(resolveSimulation(flags))
  const squares = summary.consensusDistance.map((distance) => distance * distance)
  if (law.kind === 'asymptotic') return (squares[to]! / squares[from]!) ** (1 / (to - from))
  // A swarm of few that happens to meet in one point has nothing left to contract.
  const ratios = squares.slice(1).flatMap((square, round) => (squares[round]! > 1e-10 * squares[0]! ? [square / squares[round]!] : []))
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
}

/** Two even rounds between which only the slowest mode of the ring is left. */
function lateRounds(law: Law, nodes: number): readonly [number, number] {
  const slowest = Math.log(law.factor(nodes))
  const next = Math.log(law.factor(nodes / 2))
  const even = (rounds: number) => 2 * Math.ceil(rounds / 2)
  const from = even(Math.log(AHEAD) / (next - slowest))
  return [from, from + even(Math.max(2, Math.min(from, -1 / slowest)))]
}

export interface MeasuredPushSum {
  readonly scheme: string
  readonly nodes: number
  readonly seeds: number
  /** Largest over seeds: of Xi after 200 rounds to Xi at the start, and of the drift of the weighted mean, as the summary has it. */
  readonly xi: number
  readonly drift: number
  /** Rounds until Xi is 1e-6 of what it was, most over seeds. */
  readonly rounds: number
}

/** Push-sum whose messages arrive one to four rounds later. */
export async function measurePushSum(nodes: number, seeds: number): Promise<MeasuredPushSum> {
  const flags = { strategy: 'push-sum', delay: '1-4', nodes, rounds: 200, learning: 'off', init: 'independent', dim: DIMENSION }
  const most = { xi: 0, drift: 0, rounds: 0 }
  for (let seed = 1; seed <= seeds; seed++) {
    const { consensusDistance, meanDrift } = (await runSimulation(resolveSimulation({ ...flags, seed }))).summary
    const shares = consensusDistance.map((distance) => (distance / consensusDistance[0]!) ** 2)
    if (shares[1] !== 1) throw new Error('nothing was on its way in the first round')
    most.xi = Math.max(most.xi, shares.at(-1)!)
    most.drift = Math.max(most.drift, meanDrift ?? Number.NaN)
    const near = shares.findIndex((share) => share <= 1e-6)
    most.rounds = Math.max(most.rounds, near < 0 ? Number.POSITIVE_INFINITY : near)
  }
  return { scheme: 'push-sum, delays 1 to 4', nodes, seeds, ...most }
}
