/**
 * How fast the engines are, on one thread, beside PyTorch: every contestant runs each task in turn, round after round, so that what else the
 * machine does hits all alike. Times are processor time.
 *
 *   npm run bench -- engine [--rounds 7] [--milliseconds 40] [--only mlp64] [--without tfjs] [--python PYTHON]
 *
 * `--python` names an interpreter with torch (default python3; left out with a word when it has none). `--only` keeps tasks whose title contains
 * the text, `--without` drops contestants whose name does. Prints a table on stderr and one JSON object on stdout: median microseconds
 * and the spread (half the distance of the quartiles over the median) of each contestant, and PyTorch's time over ours.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadKernels } from '../../src/kernels/load.ts'
import { createMemory } from '../../src/kernels/memory.ts'
import type { Engine } from '../../src/learn/engine.ts'
import { createTfjsEngine } from '../../src/learn/engines/tfjs.ts'
import { createWasmEngine } from '../../src/learn/engines/wasm.ts'
import { prepare } from './engine/ours.ts'
import { operations, requiredRatios, type Task, tasks, titleOf } from './engine/tasks.ts'
import { type PythonProgram, startPython } from './python.ts'

/** A run of a task longer than this is not worth repeating: the contestant sits the task out. */
const LONGEST_RUN_MS = 1500
/** PyTorch's variants that stay in after the first round: the others were slower by more than noise. */
const VARIANTS_KEPT = 3

/** Microseconds of one run. */
type Measure = () => number | Promise<number>

interface Contestant {
  readonly name: string
  /** null: does not run this task. */
  enter(task: Task, milliseconds: number): Promise<Measure | null>
  close(): void
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '7' },
      milliseconds: { type: 'string', default: '40' },
      only: { type: 'string', default: '' },
      without: { type: 'string', multiple: true, default: [] },
      python: { type: 'string', default: 'python3' },
    },
  })
  const rounds = Number(values.rounds)
  const milliseconds = Number(values.milliseconds)
  const wanted = (name: string) => !values.without.some((text) => name.includes(text))
  const contestants = await enrol(wanted, values.python)
  const peak = measurePeak()
  console.error(`multiply-add peak of one core with 128-bit vectors: ${peak.toFixed(1)} GFLOP/s`)
  const results = []
  for (const task of tasks.filter((candidate) => titleOf(candidate).includes(values.only))) {
    const result = await compare(task, contestants, rounds, milliseconds)
    results.push(result)
    console.error(row(result))
  }
  for (const contestant of contestants) contestant.close()
  console.log(JSON.stringify({ node: process.version, peakGflops: round(peak), rounds, milliseconds, results }))
}

interface Timing {
  readonly microseconds: number
  readonly spread: number
  readonly gflops: number
}

async function compare(task: Task, contestants: readonly Contestant[], rounds: number, milliseconds: number) {
  const entered: { readonly name: string; readonly measure: Measure; readonly times: number[] }[] = []
  for (const contestant of contestants) {
    const measure = await contestant.enter(task, milliseconds)
    if (measure !== null) entered.push({ name: contestant.name, measure, times: [] })
  }
  for (let i = 0; i < rounds; i++) for (const { measure, times } of entered) times.push(await measure())
  const timings = Object.fromEntries(entered.map(({ name, times }) => [name, summary(times, operations(task))]))
  const ours = timings.wasm
  const torch = timings.torch
  const ratio = ours === undefined || torch === undefined ? null : round(torch.microseconds / ours.microseconds)
  return { task: titleOf(task), timings, torchOverWasm: ratio, required: requiredRatios[titleOf(task)] ?? null }
}

function summary(times: readonly number[], flops: number): Timing {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  const median = at(0.5)
  return { microseconds: round(median), spread: round((at(0.75) - at(0.25)) / 2 / median), gflops: round(flops / median / 1e3) }
}

function row({ task, timings, torchOverWasm, required }: Awaited<ReturnType<typeof compare>>): string {
  const cells = Object.entries(timings).map(
    ([name, { microseconds, spread, gflops }]) => `${name} ${microseconds} us ±${Math.round(spread * 100)}% ${gflops} GFLOP/s`,
  )
  const verdict = torchOverWasm === null ? '' : `torch/wasm ${torchOverWasm}${required === null ? '' : ` (at least ${required})`}`
  return [task.padEnd(24), ...cells, verdict].join(' | ')
}

const round = (value: number) => Number(value.toPrecision(4))

async function enrol(wanted: (name: string) => boolean, python: string): Promise<Contestant[]> {
  const engines: Engine[] = [createWasmEngine({ deterministic: false })]
  for (const kernels of ['relaxed', 'deterministic'] as const) {
    engines.push({ ...createWasmEngine({ deterministic: kernels === 'deterministic', kernels }), name: `wasm (${kernels})` })
  }
  if (wanted('tfjs')) {
    for (const backend of ['wasm', 'tensorflow'] as const) {
      const engine = await createTfjsEngine({ deterministic: false, backend }).catch(() => null)
      if (engine !== null) engines.push(engine)
    }
  }
  const contestants = engines.filter(({ name }) => name === 'wasm' || wanted(name)).map(ours)
  if (wanted('torch')) {
    const torch = await Torch.start(python)
    if (torch === null) console.error(`${python} has no torch: PyTorch is left out (--python names another interpreter)`)
    else contestants.push(torch)
  }
  return contestants
}

function ours(engine: Engine): Contestant {
  let last: { dispose(): void } | null = null
  return {
    name: engine.name,
    async enter(task, milliseconds) {
      last?.dispose()
      const { run, dispose } = prepare(engine, task)
      last = { dispose }
      run()
      if (stretch(run, 1) > LONGEST_RUN_MS * 1e3) return null
      // Until the optimising compiler is through with it.
      const end = performance.now() + 3 * milliseconds
      while (performance.now() < end) run()
      let count = Math.max(1, Math.round((milliseconds * 1e3) / stretch(run, 3)))
      return () => {
        const microseconds = stretch(run, count)
        count = Math.max(1, Math.round((milliseconds * 1e3) / microseconds))
        return microseconds
      }
    },
    close: () => last?.dispose(),
  }
}

/** Processor time, not time on the wall: what others do on the machine then only disturbs caches. */
function stretch(run: () => void, count: number): number {
  const start = process.cpuUsage()
  for (let i = 0; i < count; i++) run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

/** PyTorch in a child process; each of its variants is measured, and the best of a round counts. */
class Torch implements Contestant {
  readonly name = 'torch'
  readonly #program: PythonProgram

  private constructor(program: PythonProgram) {
    this.#program = program
    console.error(`PyTorch: ${program.first}`)
  }

  static async start(python: string): Promise<Torch | null> {
    const program = await startPython(python, join(import.meta.dirname, 'torch_engine.py'))
    return program === null ? null : new Torch(program)
  }

  async enter(task: Task, milliseconds: number): Promise<Measure> {
    let { variants } = (await this.#ask(task)) as { variants: string[] }
    return async () => {
      const times: { readonly variant: string; readonly microseconds: number }[] = []
      for (const variant of variants) {
        const { microseconds } = (await this.#ask({ ...task, variant, milliseconds })) as { microseconds: number }
        times.push({ variant, microseconds })
      }
      times.sort((a, b) => a.microseconds - b.microseconds)
      variants = times.slice(0, VARIANTS_KEPT).map(({ variant }) => variant)
      return times[0]!.microseconds
    }
  }

  async #ask(question: object): Promise<unknown> {
    this.#program.child.stdin.write(`${JSON.stringify(question)}\n`)
    const { value } = await this.#program.lines.next()
    return JSON.parse(value)
  }

  close(): void {
    this.#program.child.stdin.end()
  }
}

/** GFLOP/s of multiply-adds that touch no memory, the best of several stretches. */
function measurePeak(): number {
  const exports = loadKernels(createMemory(), 'relaxed')!.exports
  const rounds = 2_000_000
  let best = 0
  for (let i = 0; i < 10; i++) {
    const microseconds = stretch(() => exports.peak(rounds), 1)
    best = Math.max(best, (rounds * 64) / microseconds / 1e3)
  }
  return best
}

if (import.meta.main) await main(process.argv.slice(2))
