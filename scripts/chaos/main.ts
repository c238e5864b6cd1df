/**
 * `npm run chaos -- --case 20 | --all | --list [--seed S] [--soak 10m]`: runs cases of the fault bench against real daemons, one after the other.
 * One JSON line per case on stdout, a table at the end on stderr. `--case` may come more than once, or name several: 4,33. `--soak` is how long
 * the long cases (28, 32) take: 90s, 10m or 12h. Exit code 1 when a case failed: a check that did not hold, or a fault that was never injected.
 */
import { parseArgs } from 'node:util'
import { headOf, Misuse, misuse, refuse } from '../usage.ts'
import type { Case, CaseResult } from './case.ts'
import { COLLUDERS } from './colluders.ts'
import { HOSTILE } from './hostile.ts'
import { INSIDES } from './insides.ts'
import { Lab } from './lab.ts'
import { LINES } from './lines.ts'
import { duration, LONG } from './long.ts'
import { Machines } from './network.ts'
import { PROCESSES } from './processes.ts'

const CASES = [...HOSTILE, ...COLLUDERS, ...PROCESSES, ...INSIDES, ...LINES, ...LONG].sort((a, b) => a.number - b.number)

try {
  await main(process.argv.slice(2))
} catch (error) {
  const sentence = misuse(error, 'npm run chaos --')
  if (sentence === null) throw error
  refuse(sentence)
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      case: { type: 'string', multiple: true, default: [] },
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      soak: { type: 'string' },
    },
  })
  if (values.help) return console.log(headOf(import.meta.filename))
  if (values.list) return list()
  if (values.soak !== undefined) duration.seconds = secondsOf(values.soak)
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed)) throw new Misuse(`--seed ${values.seed} is no whole number`)
  const chosen = values.all ? CASES : values.case.flatMap((numbers) => numbers.split(',').flatMap(casesOf))
  if (chosen.length === 0) throw new Misuse('Which case? Choose with --case, or all with --all; --list shows them')
  const results: CaseResult[] = []
  for (const each of chosen) {
    const result = await runCase(each, seed)
    results.push(result)
    console.log(JSON.stringify(result))
  }
  for (const { case: number, title, passed, injected, seconds } of results) {
    console.error(
      `${String(number).padStart(2)}  ${passed ? 'pass' : 'FAIL'}  ${String(injected).padStart(6)} injected  ${String(seconds).padStart(4)} s  ${title}`,
    )
  }
  process.exit(results.every(({ passed }) => passed) ? 0 : 1)
}

function list(): void {
  for (const { number, title } of CASES) console.log(`${String(number).padStart(2)}  ${title}`)
}

function casesOf(text: string): readonly Case[] {
  const cases = CASES.filter(({ number }) => String(number) === text.trim())
  if (cases.length === 0) throw new Misuse(`There is no case ${text}; --list shows them`)
  return cases
}

function secondsOf(text: string): number {
  const [, amount, unit] = /^(\d+)([smh])$/.exec(text) ?? []
  if (amount === undefined) throw new Misuse(`--soak ${text} is no length of time such as 90s, 10m or 12h`)
  return Number(amount) * { s: 1, m: 60, h: 3_600 }[unit as 's' | 'm' | 'h']
}

async function runCase({ number, title, needsRoot = false, run }: Case, seed: number): Promise<CaseResult> {
  const lab = new Lab(seed)
  const began = performance.now()
  try {
    if (needsRoot && !Machines.areThere()) lab.check('network namespaces (root on Linux)', false, 'not available here')
    else await run(lab)
  } catch (error) {
    lab.check('the case ran to its end', false, error instanceof Error ? error.message.split('\n').slice(0, 12) : String(error))
  } finally {
    await lab.close()
  }
  lab.check('I5: the fault happened', lab.injected > 0, lab.injected)
  const seconds = Math.round((performance.now() - began) / 1_000)
  return { case: number, title, passed: lab.checks.every(({ ok }) => ok), injected: lab.injected, checks: lab.checks, seconds }
}
