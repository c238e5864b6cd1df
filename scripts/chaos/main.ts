/**
 * `npm run chaos -- --case 20 | --all | --list [--seed S] [--soak 10m]`: runs cases of the fault bench against real daemons, one after the other.
 * One JSON line per case on stdout, a table at the end on stderr. `--soak` is how long the long cases (28, 32) take. Exit code 1 when a case
 * failed: a check that did not hold, or a fault that was never injected.
 */
import { parseArgs } from 'node:util'
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

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    all: { type: 'boolean' },
    list: { type: 'boolean' },
    seed: { type: 'string', default: '1' },
    soak: { type: 'string' },
  },
})

const [, amount, unit] = /^(\d+)([smh])$/.exec(values.soak ?? '') ?? []
if (amount !== undefined) duration.seconds = Number(amount) * { s: 1, m: 60, h: 3_600 }[unit as 's' | 'm' | 'h']
const wanted = values.case?.flatMap((numbers) => numbers.split(',').map(Number)) ?? []
const chosen = values.all ? CASES : CASES.filter(({ number }) => wanted.includes(number))

if (values.list || chosen.length === 0) {
  for (const { number, title } of CASES) console.log(`${String(number).padStart(2)}  ${title}`)
  if (!values.list) process.exitCode = 2
} else {
  const results: CaseResult[] = []
  for (const each of chosen) {
    const result = await runCase(each, Number(values.seed))
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
