/**
 * Is the simulator right about swarms? The speed-up of real daemons on loopback, each held to the same steps per second, beside that of simulated
 * swarms of the same settings.
 *
 *   npm run bench -- swarm-processes [--nodes 1,8] [--seeds 5] [--algo a2c] [--env CartPole-v1] [--steps-per-second 2000] [--steps 100000]
 *     [--set KEY=VALUE ...] [--file processes.json]
 *
 * Measured as `bench -- swarm` does: steps of a peer until the mean of 8 evaluations in a row, one every 256 steps, reaches the environment's
 * threshold; here the founder is evaluated. Training begins when all have joined. Runs that --file holds already are not made again.
 */
import { parseArgs } from 'node:util'
import { findEnvironment } from '../../src/envs/registry.ts'
import { TestDaemon } from '../../test/support/daemon.ts'
import { Kept } from './kept.ts'
import { median } from './learn/statistics.ts'
import { Sustained } from './learn/sustained.ts'
import { runCell } from './swarm/cell.ts'

const EVAL_EVERY = 256

/** A swarm that is not complete by then, or does not train, has failed. */
const PATIENCE_MS = 120_000

interface Outcome {
  readonly nodes: number
  readonly seed: number
  /** Steps of a peer until the threshold was held; null: not within --steps. */
  readonly real: number | null
  readonly simulated: number | null
  /** Of the founder, while it trained. */
  readonly stepsPerSecond: number
}

interface Choice {
  readonly algo: string
  readonly env: string
  readonly set: readonly string[]
  readonly stepsPerSecond: number
  readonly steps: number
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '1,8' },
      seeds: { type: 'string', default: '5' },
      algo: { type: 'string', default: 'a2c' },
      env: { type: 'string', default: 'CartPole-v1' },
      'steps-per-second': { type: 'string', default: '2000' },
      steps: { type: 'string', default: '100000' },
      set: { type: 'string', multiple: true, default: [] },
      file: { type: 'string' },
    },
  })
  const { algo, env, set, file } = values
  const choice: Choice = { algo, env, set, stepsPerSecond: Number(values['steps-per-second']), steps: Number(values.steps) }
  const counts = values.nodes.split(',').map(Number)
  const kept = new Kept<Outcome>(file)
  const outcomes = kept.all
  for (const nodes of counts) {
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      if (outcomes.some((done) => done.nodes === nodes && done.seed === seed)) continue
      const flags = Object.fromEntries(set.map((text) => [`set.${text.split('=')[0]}`, text.slice(text.indexOf('=') + 1)]))
      const simulated = await runCell({ algo, env, nodes, seed, flags, steps: choice.steps, evalEvery: EVAL_EVERY, threshold: null })
      kept.add({ nodes, seed, simulated: simulated.sustained, ...(await real(choice, nodes, seed)) })
    }
  }
  const of = (nodes: number, side: 'real' | 'simulated') =>
    median(outcomes.filter((run) => run.nodes === nodes).map((run) => run[side] ?? Number.POSITIVE_INFINITY))
  const speedUp = (nodes: number, side: 'real' | 'simulated') => of(counts[0]!, side) / of(nodes, side)
  console.log(
    '| peers | steps per peer, processes | simulated | speed-up of processes | simulated | ratio of both |\n|---|---|---|---|---|---|',
  )
  for (const nodes of counts) {
    const [ofReal, ofSimulated] = [speedUp(nodes, 'real'), speedUp(nodes, 'simulated')]
    console.log(
      `| ${nodes} | ${of(nodes, 'real')} | ${of(nodes, 'simulated')} | ${ofReal.toFixed(2)} | ${ofSimulated.toFixed(2)} | ${(ofReal / ofSimulated).toFixed(2)} |`,
    )
  }
}

/** One swarm of daemons, from the start to the steps at which its founder held the threshold. */
async function real({ algo, env, set, stepsPerSecond, steps }: Choice, nodes: number, seed: number) {
  const endings: (() => Promise<void>)[] = []
  const context = { after: (ending: () => Promise<void>) => endings.push(ending) } as never
  const own = ['--no-http', '--wait-for-peers', `${nodes - 1}`, '--set', `maxStepsPerSecond=${stepsPerSecond}`, '--set', 'minPeriodMs=0']
  const chosen = [
    '--algo',
    algo,
    '--env',
    env,
    '--seed',
    `${seed}`,
    '--eval-every',
    `${EVAL_EVERY}`,
    ...set.flatMap((text) => ['--set', text]),
  ]
  try {
    const founder = TestDaemon.spawn(context, ['start', ...chosen, ...own])
    const { addresses } = await founder.event('listening', PATIENCE_MS)
    for (let i = 1; i < nodes; i++) {
      const joiner = TestDaemon.spawn(context, ['join', addresses[0]!, ...own])
      await joiner.event('joined', PATIENCE_MS)
    }
    const returns = new Sustained(findEnvironment(env).threshold!)
    let held: number | null = null
    const enough = founder.event('evaluation', PATIENCE_MS + (1_500 * steps) / stepsPerSecond, (evaluation) => {
      if (returns.add(evaluation.steps, evaluation.stochastic ?? evaluation.deterministic ?? 0)) held = evaluation.steps
      return held !== null || evaluation.steps >= steps
    })
    await enough
    const rates = founder.all('stats').flatMap(({ stepsPerSecond: rate }) => (rate !== null && rate > 0 ? rate : []))
    return { real: held, stepsPerSecond: Math.round(median(rates)) }
  } finally {
    for (const ending of endings.reverse()) await ending()
  }
}
