/**
 * The Storage port over a folder. A write replaces the file whole: temporary file beside it, fsync, rename, fsync of the folder; writes to
 * one name happen one after the other. Names are relative with forward slashes and cannot leave the folder (`storage_name`).
 * What the system refuses (a full disk, missing rights) fails with `storage` naming the file and the reason.
 */
import { appendFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Storage } from '../ports/storage.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'

/** One fixed temporary name per file: what a crash left behind is overwritten by the next write. */
const TEMPORARY_SUFFIX = '.new'

/** `called`: what the folder is to a person who reads that something in it failed. */
export function folderStorage(folder: string, called = 'the data folder'): Storage {
  const queues = new Map<string, Promise<void>>()

  /** Runs `write` after every earlier write to `name`. */
  function inTurn(name: string, write: () => Promise<void>): Promise<void> {
    const next = (queues.get(name) ?? Promise.resolve()).then(write)
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (queues.get(name) === settled) queues.delete(name)
      })
    queues.set(name, settled)
    return next
  }

  return {
    read: (name) =>
      attempt(called, 'read', name, async () => {
        try {
          return new Uint8Array(await readFile(join(folder, checked(name))))
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return null
          throw error
        }
      }),

    write: (name, bytes, options) =>
      inTurn(name, () => attempt(called, 'write', name, () => replaceFile(join(folder, checked(name)), bytes, options?.secret === true))),

    append: (name, bytes) =>
      inTurn(name, () =>
        attempt(called, 'write', name, async () => {
          const path = join(folder, checked(name))
          await mkdir(dirname(path), { recursive: true, mode: 0o700 })
          await appendFile(path, bytes)
        }),
      ),

    remove: (name) => inTurn(name, () => attempt(called, 'remove', name, () => rm(join(folder, checked(name)), { force: true }))),

    list: (name) =>
      attempt(called, 'list', name, async () => {
        try {
          const entries = await readdir(name === '' ? folder : join(folder, checked(name)), { withFileTypes: true })
          const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
          return names.filter((entry) => !entry.endsWith(TEMPORARY_SUFFIX)).sort()
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return []
          throw error
        }
      }),
  }
}

async function replaceFile(path: string, bytes: Uint8Array, secret: boolean): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await rm(temporary, { force: true })
  try {
    const file = await open(temporary, 'wx', secret ? 0o600 : 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // On a full disk every byte counts.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(dirname(path))
}

/** Makes the rename itself durable. Windows cannot open folders and needs no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function checked(name: string): string {
  const parts = name.split('/')
  const fine = parts.every(
    (part) => part !== '' && part !== '.' && part !== '..' && !/[\\:\0]/.test(part) && !part.endsWith(TEMPORARY_SUFFIX),
  )
  if (!fine) {
    throw new GrapevineError('storage_name', 'local', `"${name}" is no name inside a data folder: use plain names with forward slashes.`, {
      name,
    })
  }
  return name
}

async function attempt<T>(called: string, verb: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof GrapevineError) throw error
    const reason = messageOf(error)
    throw new GrapevineError('storage', 'local', `Cannot ${verb} ${name} in ${called}: ${reason}.`, { name, reason })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
