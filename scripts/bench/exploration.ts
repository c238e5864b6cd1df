/**
 * What helps eight peers to find and to learn what is hard to find: averaging, sharing experience, both, or neither; beside one peer alone.
 *
 *   npm run bench -- exploration [--algo apex] [--envs DeepSea-v0,MountainCar-v0] [--arms "solo;..."] [--seeds 5] [--seed 1] [--file exploration.json]
 *
 * Simulated in lock step with the presets of Ape-X, or of PPO, which shares nothing. Prints one JSON line per run, then a table of medians
 * [quartiles] over the seeds, in thousand steps per peer: until any environment of any peer first found it, until one peer's greedy policy solves
 * the task, and until half of the peers' do; a run that did not counts as endless. Runs that --file holds already are not made again.
 */
import { parseArgs } from 'node:util'
import { type Arm, explore, type Outcome, type Task } from './exploration/run.ts'
import { Kept } from './kept.ts'
import { median, quantile } from './learn/statistics.ts'

const SHARE = { 'share-experience': 0.2 }
const average = (period: number) => ({ strategy: 'broadcast', period })
const swarm = (name: string, flags: Arm['flags']): Arm => ({ name, nodes: 8, flags })

/** By algorithm. Ape-X makes an update of the deep sea every 4 steps and of MountainCar every 2, PPO ten of the deep sea every 320 steps. */
const ARMS: Readonly<Record<string, readonly Arm[]>> = {
  apex: [
    { name: 'solo', nodes: 1, flags: { strategy: 'none' } },
    swarm('neither', { strategy: 'none' }),
    swarm('averaging', average(200)),
    swarm('averaging, often', average(20)),
    swarm('sharing', { strategy: 'none', ...SHARE }),
    swarm('both', { ...average(200), ...SHARE }),
    swarm('both, often', { ...average(20), ...SHARE }),
    swarm('both, spaced', { ...average(2_000), ...SHARE }),
  ],
  ppo: [
    { name: 'solo', nodes: 1, flags: { strategy: 'none' } },
    swarm('neither', { strategy: 'none' }),
    swarm('averaging', average(40)),
    swarm('averaging, often', average(10)),
  ],
}

const TASKS: readonly Task[] = [
  {
    env: 'DeepSea-v0',
    found: ({ rewards }, row) => rewards[row]! > 0.5,
    options: (mapping) => ({ mapping }),
    episodes: 1,
    steps: 200_000,
  },
  {
    env: 'MountainCar-v0',
    found: ({ terminated }, row) => terminated[row] === 1,
    options: () => ({}),
    episodes: 10,
    steps: 100_000,
  },
]

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      envs: { type: 'string', default: TASKS.map(({ env }) => env).join(',') },
      algo: { type: 'string', default: 'apex' },
      arms: { type: 'string' },
      seeds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      file: { type: 'string' },
    },
  })
  const kept = new Kept<Outcome>(values.file)
  const outcomes = kept.all
  const tasks = TASKS.filter(({ env }) => values.envs.split(',').includes(env))
  const known = ARMS[values.algo]
  if (known === undefined) throw new Error(`--algo is one of ${Object.keys(ARMS).join(', ')}, not ${values.algo}.`)
  const arms = known.filter(({ name }) => values.arms?.split(';').includes(name) ?? true)
  const first = Number(values.seed)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    for (const task of tasks) {
      for (const arm of arms) {
        if (outcomes.some((done) => done.algo === values.algo && done.env === task.env && done.arm === arm.name && done.seed === seed))
          continue
        kept.add(await explore(task, values.algo, arm, seed))
      }
    }
  }
  for (const { env } of tasks)
    table(
      env,
      known,
      outcomes.filter((run) => run.algo === values.algo && run.env === env),
    )
}

function table(env: string, arms: readonly Arm[], outcomes: readonly Outcome[]): void {
  console.log(`| ${env} | seeds | found | solved by one | solved by half | kB sent per peer |\n|---|---|---|---|---|---|`)
  for (const { name } of arms) {
    const runs = outcomes.filter((run) => run.arm === name)
    if (runs.length === 0) continue
    const cell = (value: (run: Outcome) => number | null) => spread(runs.map((run) => value(run) ?? Number.POSITIVE_INFINITY))
    const cells = [cell((run) => run.discovery), cell((run) => run.solvedByOne), cell((run) => run.solvedByHalf)]
    const sent = median(runs.map(({ bytes }) => bytes)) / 1_000
    console.log(`| ${name} | ${runs.length} | ${cells.join(' | ')} | ${sent.toFixed(0)} |`)
  }
}

/** Median [quartiles] in thousands. */
function spread(values: readonly number[]): string {
  const at = (part: number) => {
    const value = quantile(values, part) / 1_000
    return Number.isFinite(value) ? value.toFixed(1) : 'never'
  }
  return `${at(0.5)} [${at(0.25)}, ${at(0.75)}]`
}
