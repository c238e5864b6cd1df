/**
 * `npm run bench -- heterogeneity [--seeds N] [--strategy NAME] [--partner RULE] [--rounds N]`: eight free-running peers learn CartPole-v1: all alike;
 * one ten times slower; one with ten times the latency. A line of JSON for each: of the others, updates, mixes, and mixes among themselves a
 * virtual second, over those of the swarm in which all are alike.
 */
import { parseArgs } from 'node:util'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const NODES = 8
/** The odd one is the first after the founder. */
const ODD = 1
/** Not counted: peers meet. */
const WARM_UP_SECONDS = 5

const SWARMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'all alike': {},
  'one ten times slower': { slow: '1:10' },
  'one with ten times the latency': { scenario: [{ at: 0, do: 'latency', peers: ODD, latency: '200ms' }] },
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '150' },
      strategy: { type: 'string', default: 'pairwise' },
      partner: { type: 'string' },
    },
  })
  const { strategy, partner } = values
  const flags = { strategy, rounds: values.rounds, ...(partner === undefined ? {} : { partner }) }
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
  const alike: Rates[] = []
  for (const [what, special] of Object.entries(SWARMS)) {
    const rates: Rates[] = []
    for (const seed of seeds) rates.push(await measure({ ...flags, ...special, seed }))
    if (alike.length === 0) alike.push(...rates)
    const over = (of: (one: Rates) => number) => rates.map((one, i) => round(of(one) / of(alike[i]!)))
    const updates = over(({ updatesPerSecond }) => updatesPerSecond)
    const mixes = over(({ mixesPerSecond }) => mixesPerSecond)
    const among = over(({ amongPerSecond }) => amongPerSecond)
    console.log(JSON.stringify({ what, strategy, partner: partner ?? 'default', updates, mixes, mixesAmongThemselves: among }))
  }
}

interface Rates {
  readonly updatesPerSecond: number
  readonly mixesPerSecond: number
  readonly amongPerSecond: number
}

/** Of everybody but the odd one; a round takes 200 ms, as on a real network at most. */
async function measure(flags: Readonly<Record<string, unknown>>): Promise<Rates> {
  const settings = { latency: '20ms', ...flags, nodes: NODES, period: 20, 'update-time': '10ms' }
  const first = new Map<number, { updates: number; seconds: number }>()
  const last = new Map<number, { updates: number; seconds: number }>()
  let mixes = 0
  let withOdd = 0
  let seconds = 0
  await runSimulation(resolveSimulation(settings), {
    onEvent: (event) => {
      if (event.seconds < WARM_UP_SECONDS) return
      if (event.event === 'mix') {
        if (event.node === ODD) withOdd++
        else mixes++
      }
      if (event.node === ODD) return
      if (event.event !== 'stats') return
      const seen = { updates: event.updates, seconds: event.seconds }
      if (!first.has(event.node)) first.set(event.node, seen)
      last.set(event.node, seen)
      seconds = Math.max(seconds, event.seconds - WARM_UP_SECONDS)
    },
  })
  const rates = [...last].map(([node, now]) => (now.updates - first.get(node)!.updates) / (now.seconds - first.get(node)!.seconds))
  const perSecond = (count: number) => count / seconds / (NODES - 1)
  // Both sides of a pair mix once.
  return {
    updatesPerSecond: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
    mixesPerSecond: perSecond(mixes),
    amongPerSecond: perSecond(mixes - withOdd),
  }
}

function round(value: number): number {
  return Math.round(1_000 * value) / 1_000
}
