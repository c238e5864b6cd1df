/** Where a page that stands alone is written to; what goes wrong there is told with the flag that named the file. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { GrapevineError, messageOf } from '../util/errors.ts'

/** Throws `usage` where the file cannot be written. */
export async function writePage(path: string, flag: '--out' | '--report', page: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, page)
  } catch (error) {
    throw cannotWrite(path, flag, error)
  }
}

export function cannotWrite(path: string, flag: '--out' | '--report', error: unknown): GrapevineError {
  const reason = messageOf(error)
  return new GrapevineError('usage', 'local', `Cannot write the report to ${resolve(path)} (${flag}): ${reason}.`)
}
