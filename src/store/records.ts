/**
 * Records of runs in a data folder, in `records/`: one file for each run, numbered in the order in which the runs began here, the latest
 * KEPT_RECORDS of them. They are for reports; nothing else depends on them.
 */
import type { Storage } from '../ports/storage.ts'
import { KEPT_RECORDS } from './limits.ts'
import { digitsOf, listNumbered, type Numbered, nextName } from './numbered-files.ts'

const FOLDER = 'records'
const ENDING = 'jsonl'

/** The latest run first. */
export function listRecords(storage: Storage): Promise<readonly Numbered[]> {
  return listNumbered(storage, FOLDER, ENDING)
}

/** The name of the record of `run` (id in hex), whether there is one yet or not; records over the limit are removed. */
export async function recordOf(storage: Storage, run: string): Promise<string> {
  const all = await listRecords(storage)
  const digits = digitsOf(run)
  const own = all.find((record) => record.run === digits)
  if (own !== undefined) return own.name
  for (const { name } of all.slice(KEPT_RECORDS - 1)) await storage.remove(name)
  return nextName(all, FOLDER, digits, ENDING)
}
