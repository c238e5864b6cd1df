/**
 * Does a swarm learn faster than one peer? Grids of simulated swarms in lock step, measured in environment steps per peer until the swarm
 * holds the threshold ("sustained": the mean of 8 consecutive evaluations, each of 20 stochastic episodes, reaches it).
 *
 *   npm run bench -- swarm --algo ppo --env CartPole-v1 --nodes 1,8 --seeds 10 [--vary period=1,5,20] [--vary set.learningRate=0.001,0.002]
 *     [--alone set.horizonSteps=500000] [--together preset=swarm] [--steps 200000] [--eval-every 256] [--threshold 475] [--first-seed 1] [--workers 1] [--file swarm.json] [--svg swarm.svg]
 *
 * --alone and --together are flags for one peer and for several, where each side has its own best settings. Every cell (nodes, what varies, seed) runs in a process of its own; --file keeps the cells that are done, and a later command makes only those
 * that are missing. Evaluations look at one peer after the other, within rounds as well. A run that does not hold the threshold within --steps counts as infinite.
 * Prints a table: median with quartiles, failures, and how many times fewer steps than one peer alone (bootstrap, 95 %).
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Kept } from './kept.ts'
import { assignment, type Cell, type CellResult, nameOf, runCell } from './swarm/cell.ts'
import { drawStudy, studyTable } from './swarm/report.ts'

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      cell: { type: 'string' },
      algo: { type: 'string', default: 'a2c' },
      env: { type: 'string', default: 'CartPole-v1' },
      nodes: { type: 'string', default: '1,8' },
      seeds: { type: 'string', default: '10' },
      'first-seed': { type: 'string', default: '1' },
      vary: { type: 'string', multiple: true, default: [] },
      alone: { type: 'string', multiple: true, default: [] },
      together: { type: 'string', multiple: true, default: [] },
      steps: { type: 'string', default: '200000' },
      'eval-every': { type: 'string', default: '256' },
      threshold: { type: 'string' },
      workers: { type: 'string', default: '1' },
      file: { type: 'string' },
      svg: { type: 'string' },
    },
  })
  if (values.cell !== undefined) {
    console.log(JSON.stringify(await runCell(JSON.parse(values.cell) as Cell)))
    return
  }
  const first = Number(values['first-seed'])
  const cells: Cell[] = []
  for (const varied of variations(values.vary)) {
    for (const nodes of values.nodes.split(',').map(Number)) {
      const own = Object.fromEntries((nodes === 1 ? values.alone : values.together).map(assignment))
      for (let seed = first; seed < first + Number(values.seeds); seed++) {
        const { algo, env } = values
        const study = values.alone.length + values.together.length === 0 ? {} : { study: varied }
        const threshold = values.threshold === undefined ? null : Number(values.threshold)
        const flags = { ...varied, ...own }
        cells.push({
          ...study,
          algo,
          env,
          nodes,
          seed,
          flags,
          steps: Number(values.steps),
          evalEvery: Number(values['eval-every']),
          threshold,
        })
      }
    }
  }
  const kept = new Kept<CellResult>(values.file)
  const done = new Map(kept.all.map((result) => [nameOf(result.cell), result]))
  const missing = cells.filter((cell) => !done.has(nameOf(cell)))
  const worker = async () => {
    for (let cell = missing.shift(); cell !== undefined; cell = missing.shift()) {
      const result = await inProcess(cell)
      done.set(nameOf(cell), result)
      kept.add(result)
    }
  }
  await Promise.all(Array.from({ length: Number(values.workers) }, worker))
  const results = cells.map((cell) => done.get(nameOf(cell))!)
  console.log(studyTable(results))
  if (values.svg !== undefined) writeFileSync(values.svg, drawStudy(results))
}

/** `period=1,5` and `set.learningRate=0.1,0.2` make four sets of flags; nothing makes one empty one. */
function variations(vary: readonly string[]): Readonly<Record<string, string>>[] {
  let all: Record<string, string>[] = [{}]
  for (const text of vary) {
    const [name, choices] = assignment(text)
    all = all.flatMap((flags) => choices.split(',').map((value) => ({ ...flags, [name]: value })))
  }
  return all
}

function inProcess(cell: Cell): Promise<CellResult> {
  const main = new URL('./main.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [main, 'swarm', '--cell', JSON.stringify(cell)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve(JSON.parse(out) as CellResult)
      else reject(new Error(`The cell ${nameOf(cell)} ended with ${code}.`))
    })
  })
}
