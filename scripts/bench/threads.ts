/**
 * What a second thread gives to updates of 2048 rows, on the clock of the wall: blocks of updates with one and with two threads take turns.
 *
 *   npm run bench -- threads [--rounds 30]
 *
 * Needs two cores to itself: on a busy machine the threads wait for a core and for each other. Prints one JSON object per network: milliseconds an
 * update of the fastest block and of the median, and the ratios of both.
 */
import { parseArgs } from 'node:util'
import { createWasmEngine } from '../../src/learn/engines/wasm.ts'
import { prepare } from './engine/ours.ts'

const BATCH = 2048
/** Updates in a row, as an epoch makes them: a single one would measure how the second thread wakes up. */
const BLOCK = 10

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: 'string', default: '30' } } })
  for (const network of ['mlp64', 'mlp256', 'minatar'] as const) {
    const contestants = [1, 2].map((threads) => ({
      run: prepare(createWasmEngine({ deterministic: false, threads }), { network, kind: 'update', batch: BATCH }).run,
      times: [] as number[],
    }))
    for (let i = 0; i < Number(values.rounds); i++) {
      for (const { run, times } of contestants) {
        const start = performance.now()
        for (let update = 0; update < BLOCK; update++) run()
        times.push((performance.now() - start) / BLOCK)
      }
    }
    const [one, two] = contestants.map(({ times }) => {
      times.sort((a, b) => a - b)
      return { fastest: times[0]!, median: times[times.length >> 1]! }
    }) as [{ fastest: number; median: number }, { fastest: number; median: number }]
    const ratios = { fastest: one.fastest / two.fastest, median: one.median / two.median }
    console.log(JSON.stringify({ network, batch: BATCH, one, two, ratios }))
  }
}

if (import.meta.main) await main(process.argv.slice(2))
