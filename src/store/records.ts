/**
 * Records of runs in a data folder, in `records/`: one file for each run, numbered in the order in which the runs began here, the latest
 * KEPT_RECORDS of them. They are for reports; nothing else depends on them.
 */
import type { Storage } from '../ports/storage.ts'
import { KEPT_RECORDS } from './limits.ts'

const FOLDER = 'records'
/** Digits of a run's id in the names of its files, as in the names of checkpoints. */
const RUN_DIGITS = 16

export interface NumberedRecord {
  readonly name: string
  readonly number: number
  /** First digits of the run's id. */
  readonly run: string
}

/** The latest run first. */
export async function listRecords(storage: Storage): Promise<readonly NumberedRecord[]> {
  const found: NumberedRecord[] = []
  for (const file of await storage.list(FOLDER)) {
    const [, number, run] = /^(\d{1,15})-([0-9a-f]{16})\.jsonl$/.exec(file) ?? []
    if (number !== undefined && run !== undefined) found.push({ name: `${FOLDER}/${file}`, number: Number(number), run })
  }
  return found.sort((a, b) => b.number - a.number)
}

/** The name of the record of `run` (id in hex), whether there is one yet or not; records over the limit are removed. */
export async function recordOf(storage: Storage, run: string): Promise<string> {
  const all = await listRecords(storage)
  const digits = run.slice(0, RUN_DIGITS)
  const own = all.find((record) => record.run === digits)
  if (own !== undefined) return own.name
  for (const { name } of all.slice(KEPT_RECORDS - 1)) await storage.remove(name)
  return `${FOLDER}/${String((all[0]?.number ?? 0) + 1).padStart(8, '0')}-${digits}.jsonl`
}
