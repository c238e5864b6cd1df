/**
 * What attackers cost: simulated swarms in lock step, a fifth of whose peers attack, beside clean ones of the same seeds.
 *
 *   npm run bench -- poison [--nodes 10] [--hostile 2] [--rounds 150] [--seeds 5] [--kinds nan,alie] [--robust clip,none]
 *     [--env CartPole-v1] [--algo a2c] [--strategy broadcast] [--file poison.json]
 *
 * Prints one JSON line per run, then a table: the honest peers' mean return of the last 100 training episodes at the end (median over seeds, and
 * the lowest), as a share of the clean run's of the same seed (with no rule; where that was not run, with the same rule), and after how many
 * rounds the attackers were muted (the slowest honest peer; "-": not by all).
 * Runs that --file holds already are not made again.
 */
import { parseArgs } from 'node:util'
import { ATTACK_KINDS } from '../../src/sim/hostile/kinds.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'
import { Kept } from './kept.ts'
import { median } from './learn/statistics.ts'

interface Case {
  readonly kind: string
  readonly robust: string
  readonly seed: number
}

interface Outcome extends Case {
  /** Mean over honest peers. */
  readonly returnMean: number
  /** Rounds until every honest peer had muted every attacker; null: never. */
  readonly mutedAfter: number | null
  /** Refusals of honest peers' frames, which should not be. */
  readonly honestRefused: number
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '10' },
      hostile: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '150' },
      seeds: { type: 'string', default: '5' },
      kinds: { type: 'string', default: ['clean', ...ATTACK_KINDS].join(',') },
      robust: { type: 'string', default: 'clip,none' },
      env: { type: 'string', default: 'CartPole-v1' },
      algo: { type: 'string', default: 'a2c' },
      strategy: { type: 'string', default: 'broadcast' },
      file: { type: 'string' },
    },
  })
  const kept = new Kept<Outcome>(values.file)
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    for (const kind of values.kinds.split(',')) {
      for (const robust of values.robust.split(',')) {
        if (kept.all.some((done) => done.kind === kind && done.robust === robust && done.seed === seed)) continue
        kept.add(await attacked({ kind, robust, seed }, values))
      }
    }
  }
  table(kept.all)
}

async function attacked(chosen: Case, flags: Readonly<Record<string, string | undefined>>): Promise<Outcome> {
  const { nodes, rounds, env, algo, strategy } = flags
  const attackers = chosen.kind === 'clean' ? 0 : Number(flags.hostile)
  const honest = Number(nodes) - attackers
  const settings = resolveSimulation({
    ...{ nodes, rounds, env, algo, strategy },
    seed: String(chosen.seed),
    robust: chosen.robust,
    ...(attackers > 0 ? { hostile: `${attackers}:${chosen.kind}` } : {}),
  })
  let round = 0
  let muted = 0
  let mutedAfter: number | null = null
  let honestRefused = 0
  const { summary } = await runSimulation(settings, {
    onRound: (number) => {
      round = number + 1
    },
    onEvent: (event) => {
      if (event.node >= honest) return
      if (event.event === 'warning' && event.code === 'muted' && ++muted === honest * attackers) mutedAfter = round
      if (event.event === 'refused' && attackers === 0) honestRefused++
    },
  })
  const returns = summary.returns.slice(0, honest).map((value) => value ?? 0)
  return { ...chosen, returnMean: returns.reduce((sum, value) => sum + value, 0) / honest, mutedAfter, honestRefused }
}

function table(outcomes: readonly Outcome[]): void {
  const clean = (rule: string, seed: number) =>
    outcomes.find((run) => run.kind === 'clean' && run.robust === rule && run.seed === seed)?.returnMean
  console.log('| attack | rule | return, median [lowest] | share of clean, median [lowest] | muted after |\n|---|---|---|---|---|')
  for (const key of new Set(outcomes.map(({ kind, robust }) => `${kind} ${robust}`))) {
    const runs = outcomes.filter(({ kind, robust }) => `${kind} ${robust}` === key)
    const shares = runs.flatMap((run) => {
      const without = clean('none', run.seed) ?? clean(run.robust, run.seed)
      return without === undefined ? [] : [run.returnMean / without]
    })
    const returns = runs.map(({ returnMean }) => returnMean)
    const worst = Math.max(...runs.map(({ mutedAfter }) => mutedAfter ?? Number.POSITIVE_INFINITY))
    const [kind, robust] = key.split(' ')
    const share = shares.length === 0 ? '-' : `${median(shares).toFixed(3)} [${Math.min(...shares).toFixed(3)}]`
    const mute = Number.isFinite(worst) ? worst : '-'
    console.log(`| ${kind} | ${robust} | ${median(returns).toFixed(1)} [${Math.min(...returns).toFixed(1)}] | ${share} | ${mute} |`)
  }
}
