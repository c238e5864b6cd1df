/** Files of runs in one folder of a data folder: NUMBER-RUN.ENDING, numbered across all runs in the order in which they were begun. */
import type { Storage } from '../ports/storage.ts'

/** Digits of a run's id in the names of its files. */
const RUN_DIGITS = 16

export interface Numbered {
  readonly name: string
  readonly number: number
  /** First digits of the run's id. */
  readonly run: string
}

/** What stands for the run (id in hex) in the names of its files. */
export function digitsOf(run: string): string {
  return run.slice(0, RUN_DIGITS)
}

/** Newest first; other files are passed over. `ending`: letters. */
export async function listNumbered(storage: Storage, folder: string, ending: string): Promise<readonly Numbered[]> {
  const pattern = new RegExp(`^(\\d{1,15})-([0-9a-f]{${RUN_DIGITS}})\\.${ending}$`)
  const found: Numbered[] = []
  for (const file of await storage.list(folder)) {
    const [, number, run] = pattern.exec(file) ?? []
    if (number !== undefined && run !== undefined) found.push({ name: `${folder}/${file}`, number: Number(number), run })
  }
  return found.sort((a, b) => b.number - a.number)
}

/** The name of the next file of the run that these digits stand for, after `all` there are, newest first. */
export function nextName(all: readonly Numbered[], folder: string, digits: string, ending: string): string {
  return `${folder}/${String((all[0]?.number ?? 0) + 1).padStart(8, '0')}-${digits}.${ending}`
}
