/**
 * One daemon per data folder: the file `lock` names the process that holds it. A lock whose process is gone is taken over, so a crash
 * needs no cleaning up; a live one fails with `data_dir_in_use`, naming the process.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { LOCK_MAX_MS, LOCK_REREAD_MS, TAKEOVER_MAX_MS } from './limits.ts'
import { isRunning, ownName, type ProcessName } from './processes.ts'

const LOCK_NAME = 'lock'

interface LockFile extends ProcessName {
  /** Tells this lock from every other, also from an earlier one of the same process. */
  readonly token: string
}

export interface FolderLock {
  /** Gives the folder back; idempotent. */
  release(): Promise<void>
}

/** Makes the folder when it is missing. Fails with `data_dir_in_use` or, where the folder cannot be written, `data_dir`. */
export async function acquireLock(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK_NAME)
  const mine: LockFile = { ...(await ownName()), token: randomUUID() }
  try {
    await makeFolder(folder)
    for (const untilMs = performance.now() + LOCK_MAX_MS; performance.now() < untilMs; ) {
      if (await create(path, mine)) return { release: () => removeOwn(path, mine.token) }
      const theirs = await readLock(path)
      if (theirs === 'absent') continue
      if (theirs !== 'broken' && (await isRunning(theirs))) throw inUse(folder, theirs.pid)
      await removeDead(path, theirs, mine)
    }
  } catch (error) {
    if (error instanceof GrapevineError) throw error
    const reason = messageOf(error)
    throw new GrapevineError('data_dir', 'local', `Cannot use the data folder ${folder}: ${reason}; choose another with --data-dir.`, {
      folder,
    })
  }
  throw new GrapevineError('data_dir', 'local', `Cannot lock the data folder ${folder}; choose another with --data-dir.`, { folder })
}

/** The live process that holds the folder, or null. */
export async function lockHolder(folder: string): Promise<ProcessName | null> {
  const lock = await readLock(join(folder, LOCK_NAME))
  return typeof lock === 'object' && (await isRunning(lock)) ? { pid: lock.pid, began: lock.began } : null
}

/** With what is missing above it. Node's own recursive mkdir never returns where nothing can be made, as in /proc. */
async function makeFolder(folder: string): Promise<void> {
  const above = dirname(folder)
  try {
    await makeOne(folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT') || above === folder) throw error
    if (!(await isFolder(above))) await makeFolder(above)
    // Whoever starts at the same time may have made what was missing.
    await makeOne(folder)
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (!(await isFolder(folder))) throw error
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
}

function inUse(folder: string, pid: number): GrapevineError {
  return new GrapevineError(
    'data_dir_in_use',
    'local',
    `The data folder ${folder} is in use by process ${pid}; stop that daemon (grapevine stop --data-dir ${folder}) or choose another folder.`,
    { folder, pid },
  )
}

async function create(path: string, lock: LockFile): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(JSON.stringify(lock))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** `broken`: a crash while it was written. */
async function readLock(path: string): Promise<LockFile | 'absent' | 'broken'> {
  for (let reading = 0; reading < 2; reading++) {
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text === null) return 'absent'
    const lock = parseLock(text)
    if (lock !== null) return lock
    await wait(LOCK_REREAD_MS)
  }
  return 'broken'
}

function parseLock(text: string): LockFile | null {
  try {
    const { pid, began, token } = JSON.parse(text) as Record<string, unknown>
    if (!Number.isSafeInteger(pid) || (pid as number) < 1 || typeof token !== 'string') return null
    return { pid: pid as number, began: typeof began === 'string' ? began : null, token }
  } catch {
    return null
  }
}

/**
 * Removes the lock of a process that is gone, unless someone else was quicker. Several may find the same dead lock, and the slower must not
 * remove the quicker one's new one: so whoever removes it holds `lock.takeover` meanwhile and looks again first.
 */
async function removeDead(path: string, dead: LockFile | 'broken', mine: LockFile): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await create(guard, mine))) {
    await removeDeadGuard(guard, mine)
    await wait(LOCK_REREAD_MS)
    return
  }
  try {
    const now = await readLock(path)
    const same = typeof now === 'object' && typeof dead === 'object' ? now.token === dead.token : now === dead
    if (same) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

/** Its holder may have crashed within the few milliseconds that it is needed. What was moved aside and is no dead one's goes back. */
async function removeDeadGuard(guard: string, mine: LockFile): Promise<void> {
  const found = await readLock(guard)
  if (found === 'absent' || !(await isDeadGuard(guard, found))) return
  const aside = `${guard}.${mine.token}`
  try {
    await rename(guard, aside)
    const moved = await readLock(aside)
    if (typeof moved === 'object' && typeof found === 'object' && moved.token !== found.token) await link(aside, guard)
  } catch {
    // Somebody was quicker.
  } finally {
    await rm(aside, { force: true })
  }
}

async function isDeadGuard(guard: string, found: LockFile | 'broken'): Promise<boolean> {
  if (found !== 'broken') return !(await isRunning(found))
  const madeMs = await stat(guard).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  )
  return Date.now() - madeMs > TAKEOVER_MAX_MS
}

async function removeOwn(path: string, token: string): Promise<void> {
  // Nobody removes a live process's lock; another token means that the folder was emptied and taken since.
  const now = await readLock(path)
  if (typeof now === 'object' && now.token === token) await rm(path, { force: true })
}
