/**
 * What peers that come and go cost: simulated swarms on virtual time in which every so often a share of the peers is killed and replaced, beside
 * calm ones of the same seeds.
 *
 *   npm run bench -- churn [--nodes 10] [--share 0.3] [--every 60] [--down 5] [--minutes 5] [--seeds 10] [--update-time 100ms]
 *     [--env CartPole-v1] [--algo a2c] [--set KEY=VALUE ...] [--file churn.json]
 *   npm run bench -- churn --quick 500
 *
 * Killed peers vanish without a word and come back after --down seconds with nothing, as joiners. Prints a JSON line for each seed, then how the
 * swarm's mean return of the last 100 training episodes at the end compares. Seeds that --file holds already are not run again.
 *
 * --quick runs so many seeds of a small swarm for ten virtual seconds, with kills all the time, and counts what must not be: a simulation that
 * does not end in a minute of processor time, an error, an unhandled rejection. It exits with 1 when there is any.
 */
import { parseArgs } from 'node:util'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'
import { seededRandom } from '../../src/util/random.ts'
import { Kept } from './kept.ts'
import { median } from './learn/statistics.ts'

/** Processor time after which a simulation of ten virtual seconds counts as hanging: a thousand times what it takes. */
const HANG_SECONDS = 60

interface Kills {
  readonly nodes: number
  readonly share: number
  readonly everySeconds: number
  readonly downSeconds: number
  readonly seconds: number
}

interface Outcome {
  readonly seed: number
  readonly calm: number
  readonly churn: number
  /** Peers killed, and joins that followed. */
  readonly killed: number
  readonly joined: number
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '10' },
      share: { type: 'string', default: '0.3' },
      every: { type: 'string', default: '60' },
      down: { type: 'string', default: '5' },
      minutes: { type: 'string', default: '5' },
      seeds: { type: 'string', default: '10' },
      'update-time': { type: 'string', default: '100ms' },
      env: { type: 'string', default: 'CartPole-v1' },
      algo: { type: 'string', default: 'a2c' },
      set: { type: 'string', multiple: true, default: [] },
      quick: { type: 'string' },
      file: { type: 'string' },
    },
  })
  if (values.quick !== undefined) return quick(Number(values.quick))
  const { 'update-time': updateTime, env, algo, set, file } = values
  const seconds = 60 * Number(values.minutes)
  const kills = {
    nodes: Number(values.nodes),
    share: Number(values.share),
    everySeconds: Number(values.every),
    downSeconds: Number(values.down),
    seconds,
  }
  const flags = { nodes: kills.nodes, env, algo, set, 'update-time': updateTime }
  const kept = new Kept<Outcome>(file)
  const outcomes = kept.all
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    if (outcomes.some((done) => done.seed === seed)) continue
    const calm = await swarm({ ...flags, mode: 'free' }, seed, seconds)
    const scenario = killing(kills, seed)
    const churn = await swarm({ ...flags, scenario }, seed, seconds)
    const killed = scenario.reduce((sum, { peers }) => sum + peers.length, 0)
    kept.add({ seed, calm: calm.returnMean, churn: churn.returnMean, killed, joined: churn.joined })
  }
  const shares = outcomes.map(({ calm, churn }) => churn / calm)
  const column = (of: (outcome: Outcome) => number) =>
    `${median(outcomes.map(of)).toFixed(1)} [${Math.min(...outcomes.map(of)).toFixed(1)}]`
  console.log('| seeds | calm, median [lowest] | with churn | share of calm | killed, joined |\n|---|---|---|---|---|')
  console.log(
    `| ${outcomes.length} | ${column(({ calm }) => calm)} | ${column(({ churn }) => churn)} | ${median(shares).toFixed(3)} [${Math.min(...shares).toFixed(3)}] | ${median(outcomes.map(({ killed }) => killed))}, ${median(outcomes.map(({ joined }) => joined))} |`,
  )
}

/** Every so often a share of the peers, drawn from the seed, crashes and comes back; none within the last interval, so that all end in the swarm. */
function killing({ nodes, share, everySeconds, downSeconds, seconds }: Kills, seed: number) {
  const random = seededRandom('churn', seed)
  const steps: { at: string; do: 'crash'; peers: number[]; for: string }[] = []
  for (let at = everySeconds; at < seconds; at += everySeconds) {
    const peers = Array.from({ length: nodes }, (_, peer) => peer)
    while (peers.length > Math.max(1, Math.round(share * nodes))) peers.splice(random.below(peers.length), 1)
    steps.push({ at: `${at}s`, do: 'crash', peers, for: `${downSeconds}s` })
  }
  return steps
}

async function swarm(flags: Readonly<Record<string, unknown>>, seed: number, seconds: number) {
  const rounds = 1_000_000
  const settings = resolveSimulation({ ...flags, seed, rounds })
  const over = new AbortController()
  let joined = 0
  let errors = 0
  const { summary } = await runSimulation(settings, {
    signal: over.signal,
    onRound: (_, { virtualSeconds }) => {
      if (virtualSeconds.at(-1)! >= seconds) over.abort()
    },
    onEvent: ({ event }) => {
      if (event === 'joined') joined++
      if (event === 'error') errors++
    },
  })
  const returns = summary.returns.flatMap((value) => value ?? [])
  return { returnMean: returns.reduce((sum, value) => sum + value, 0) / returns.length, joined, errors }
}

async function quick(seeds: number): Promise<void> {
  const rejections: string[] = []
  process.on('unhandledRejection', (reason) => rejections.push(String(reason)))
  const bad: string[] = []
  let joined = 0
  let killed = 0
  let slowest = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const scenario = killing({ nodes: 6, share: 0.3, everySeconds: 2, downSeconds: 1, seconds: 10 }, seed)
    const from = process.cpuUsage()
    // Alone a process cannot see itself hang: whoever waits sees the last seed that was told.
    const done = await swarm({ nodes: 6, 'update-time': '200ms', period: 2, scenario }, seed, 10).catch((error: unknown) => String(error))
    const { user, system } = process.cpuUsage(from)
    const cpuSeconds = (user + system) / 1e6
    slowest = Math.max(slowest, cpuSeconds)
    killed += scenario.reduce((sum, { peers }) => sum + peers.length, 0)
    if (typeof done === 'string') bad.push(`seed ${seed}: ${done}`)
    else {
      joined += done.joined
      if (done.errors > 0) bad.push(`seed ${seed}: ${done.errors} errors`)
    }
    if (cpuSeconds > HANG_SECONDS) bad.push(`seed ${seed}: ${cpuSeconds} s of processor time`)
    if (seed % 50 === 0) console.error(`${seed} of ${seeds}`)
  }
  // Late rejections are told after the promises of the last seed.
  await new Promise((resolve) => setImmediate(resolve))
  bad.push(...rejections.map((reason) => `unhandled: ${reason}`))
  console.log(JSON.stringify({ seeds, killed, joined, slowestCpuSeconds: Number(slowest.toFixed(2)), bad }))
  if (bad.length > 0) process.exitCode = 1
}
