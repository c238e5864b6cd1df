/**
 * Which process is which: a process id alone is used again after a reboot or a wrap-around, so a process is named by its id and the moment
 * it began, as the system tells it.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'

export interface ProcessName {
  readonly pid: number
  /** The system's own words for when the process began; null where it does not tell. */
  readonly began: string | null
}

export async function ownName(): Promise<ProcessName> {
  return { pid: process.pid, began: await beganAt(process.pid) }
}

/** Is this very process still running? Where the system does not tell when it began, any process with that id counts. */
export async function isRunning(name: ProcessName): Promise<boolean> {
  try {
    process.kill(name.pid, 0)
  } catch (error) {
    // EPERM: it exists and is another user's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  if (name.began === null) return true
  const now = await beganAt(name.pid)
  return now === null ? process.platform !== 'linux' : now === name.began
}

/** null also for a Linux process that has ended and only waits to be collected by its parent. */
async function beganAt(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      // The second field is the command in parentheses and may hold spaces; state is field 3 and start time, in ticks since boot, field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
      return fields[0] === 'Z' || fields[0] === 'X' ? null : `${boot.trim()} ${fields[19]}`
    } catch {
      return null
    }
  }
  if (process.platform === 'win32') return null
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } }, (error, stdout) =>
      resolve(error === null && stdout.trim() !== '' ? stdout.trim() : null),
    )
  })
}
