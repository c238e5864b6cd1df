/**
 * Is the simulator right about swarms? The speed-up of real daemons on loopback, each held to the same steps per second, beside that of simulated
 * swarms of the same settings.
 *
 *   npm run bench -- swarm-processes [--nodes 1,8] [--seeds 5] [--algo a2c] [--env CartPole-v1] [--steps-per-second 2000] [--steps 100000]
 *     [--eval-every 256] [--threshold 475] [--alone NAME=VALUE ...] [--together NAME=VALUE ...] [--file processes.json]
 *
 * Measured as `bench -- swarm` does: steps of a peer until the mean of 8 evaluations in a row reaches the threshold; here the founder is
 * evaluated. --alone and --together are flags for one peer and for several. Training begins when all have joined, and so do the seconds. Runs
 * that --file holds already are not made again.
 */
import { parseArgs } from 'node:util'
import { TestDaemon } from '../../test/support/daemon.ts'
import { Kept } from './kept.ts'
import { median } from './learn/statistics.ts'
import { Sustained } from './learn/sustained.ts'
import { assignment, type Cell, makeThreshold, runCell } from './swarm/cell.ts'

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
  /** Wall time of the processes from the first step until the threshold was held, or the steps were over. */
  readonly seconds: number
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
      'eval-every': { type: 'string', default: '256' },
      threshold: { type: 'string' },
      alone: { type: 'string', multiple: true, default: [] },
      together: { type: 'string', multiple: true, default: [] },
      file: { type: 'string' },
    },
  })
  const { algo, env } = values
  const threshold = values.threshold === undefined ? makeThreshold(env) : Number(values.threshold)
  const counts = values.nodes.split(',').map(Number)
  const kept = new Kept<Outcome>(values.file)
  const outcomes = kept.all
  for (const nodes of counts) {
    const flags = Object.fromEntries((nodes === 1 ? values.alone : values.together).map(assignment))
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      if (outcomes.some((done) => done.nodes === nodes && done.seed === seed)) continue
      const cell = { algo, env, nodes, seed, flags, steps: Number(values.steps), evalEvery: Number(values['eval-every']), threshold }
      const { sustained } = await runCell(cell)
      kept.add({ nodes, seed, simulated: sustained, ...(await real(cell, Number(values['steps-per-second']))) })
    }
  }
  const of = (nodes: number, side: 'real' | 'simulated') =>
    median(outcomes.filter((run) => run.nodes === nodes).map((run) => run[side] ?? Number.POSITIVE_INFINITY))
  const speedUp = (nodes: number, side: 'real' | 'simulated') => of(counts[0]!, side) / of(nodes, side)
  console.log(
    '| peers | steps per peer, processes | simulated | seconds, processes | speed-up of processes | simulated | ratio of both |\n|---|---|---|---|---|---|---|',
  )
  for (const nodes of counts) {
    const [ofReal, ofSimulated] = [speedUp(nodes, 'real'), speedUp(nodes, 'simulated')]
    const seconds = median(outcomes.filter((run) => run.nodes === nodes).map((run) => run.seconds))
    console.log(
      `| ${nodes} | ${of(nodes, 'real')} | ${of(nodes, 'simulated')} | ${seconds} | ${ofReal.toFixed(2)} | ${ofSimulated.toFixed(2)} | ${(ofReal / ofSimulated).toFixed(2)} |`,
    )
  }
}

/** One swarm of daemons, from the start to the steps at which its founder held the threshold. */
async function real({ algo, env, nodes, seed, flags, steps, evalEvery, threshold }: Cell, stepsPerSecond: number) {
  const endings: (() => Promise<void>)[] = []
  const context = { after: (ending: () => Promise<void>) => endings.push(ending) } as never
  const limitMs = PATIENCE_MS + (1_500 * steps) / stepsPerSecond
  const own = [
    ...['--no-http', '--wait-for-peers', `${nodes - 1}`, '--until', `minutes=${Math.ceil((PATIENCE_MS + limitMs) / 60_000)}`],
    ...['--set', `maxStepsPerSecond=${stepsPerSecond}`, '--set', 'minPeriodMs=0'],
  ]
  const chosen = Object.entries(flags).flatMap(([name, value]) =>
    name.startsWith('set.') ? ['--set', `${name.slice(4)}=${value}`] : [`--${name}`, value],
  )
  const run = ['--algo', algo, '--env', env, '--seed', `${seed}`, '--eval-every', `${evalEvery}`, ...chosen]
  try {
    const founder = TestDaemon.spawn(context, ['start', ...run, ...own])
    const { addresses } = await founder.event('listening', PATIENCE_MS)
    for (let i = 1; i < nodes; i++) {
      const joiner = TestDaemon.spawn(context, ['join', addresses[0]!, ...own])
      await joiner.event('joined', PATIENCE_MS)
    }
    const begun = performance.now()
    const returns = new Sustained(threshold!)
    let held: number | null = null
    await founder.event('evaluation', limitMs, (evaluation) => {
      if (returns.add(evaluation.steps, evaluation.stochastic ?? evaluation.deterministic ?? 0)) held = evaluation.steps
      return held !== null || evaluation.steps >= steps
    })
    const seconds = Math.round((performance.now() - begun) / 100) / 10
    const rates = founder.all('stats').flatMap(({ stepsPerSecond: rate }) => (rate !== null && rate > 0 ? rate : []))
    return { real: held, stepsPerSecond: Math.round(median(rates)), seconds }
  } finally {
    for (const ending of endings.reverse()) await ending()
  }
}
