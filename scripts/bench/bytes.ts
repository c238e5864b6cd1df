/**
 * How few bytes are enough: simulated swarms in lock step over a grid of periods and codecs, and what each return costs in bytes.
 *
 *   npm run bench -- bytes [--nodes 8] [--steps 20000] [--periods 1,10,50,200] [--codecs f32,int8,subset:0.1,subset:0.1:int8] [--seeds 5]
 *     [--env CartPole-v1] [--algo a2c] [--strategy broadcast] [--file bytes.json]
 *
 * Every peer makes --steps environment steps. The return is the mean of the last eight of EVALUATIONS evaluations on the way, each of 20 stochastic
 * episodes of one peer after the other. Prints a table: bytes sent by one peer and the return, medians over seeds, and both beside those of the
 * first codec at the first period. Cells that --file holds already are not run again.
 */
import { parseArgs } from 'node:util'
import { Kept } from './kept.ts'
import { median } from './learn/statistics.ts'
import { type Cell, type CellResult, nameOf, runCell } from './swarm/cell.ts'

/** In a run: the last eight are then those of its last fifth. */
const EVALUATIONS = 40

/** No return ends a run before its steps are over. */
const NEVER = 1e9

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: 'string', default: '8' },
      steps: { type: 'string', default: '20000' },
      periods: { type: 'string', default: '1,10,50,200' },
      codecs: { type: 'string', default: 'f32,int8,subset:0.1,subset:0.1:int8' },
      seeds: { type: 'string', default: '5' },
      env: { type: 'string', default: 'CartPole-v1' },
      algo: { type: 'string', default: 'a2c' },
      strategy: { type: 'string', default: 'broadcast' },
      file: { type: 'string' },
    },
  })
  const { algo, env, strategy, file } = values
  const steps = Number(values.steps)
  const kept = new Kept<CellResult>(file)
  const rows: { readonly period: string; readonly codec: string; readonly bytes: number; readonly reached: number }[] = []
  for (const codec of values.codecs.split(',')) {
    for (const period of values.periods.split(',')) {
      const results: CellResult[] = []
      for (let seed = 1; seed <= Number(values.seeds); seed++) {
        const flags = { period, codec, strategy }
        const cell: Cell = { algo, env, nodes: Number(values.nodes), seed, flags, steps, evalEvery: steps / EVALUATIONS, threshold: NEVER }
        const known = kept.all.find((done) => nameOf(done.cell) === nameOf(cell))
        const result = known ?? (await runCell(cell))
        if (known === undefined) kept.add(result)
        results.push(result)
      }
      const perPeer = results.map(({ bytes, cell: { nodes } }) => bytes / nodes)
      rows.push({ period, codec, bytes: median(perPeer), reached: median(results.map(({ finalReturn }) => finalReturn)) })
    }
  }
  const dense = rows[0]!
  console.log('| codec | period | bytes sent per peer | times fewer | return | over that of the first line |\n|---|---|---|---|---|---|')
  for (const { codec, period, bytes, reached } of rows) {
    const fewer = (dense.bytes / bytes).toPrecision(3)
    console.log(
      `| ${codec} | ${period} | ${(bytes / 1e6).toPrecision(3)} MB | ${fewer} | ${reached.toFixed(1)} | ${(reached / dense.reached).toFixed(3)} |`,
    )
  }
}
