/**
 * Where a daemon keeps its things. A folder that was named is used or fails; without a name the first of `~/.grapevine/default`,
 * `default-2`, ... that no live daemon holds is taken.
 */
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { GrapevineError } from '../util/errors.ts'
import { MAX_DEFAULT_FOLDERS } from './limits.ts'
import { acquireLock, type FolderLock, lockHolder } from './lock.ts'

export interface DataFolder {
  /** Absolute. */
  readonly path: string
  readonly lock: FolderLock
}

/** Fails with `data_dir_in_use` or `data_dir`. `home` is the user's home folder. */
export async function openDataFolder(named: string | null, home: string): Promise<DataFolder> {
  if (named !== null) {
    const path = resolve(named)
    return { path, lock: await acquireLock(path) }
  }
  for (let number = 1; number <= MAX_DEFAULT_FOLDERS; number++) {
    const path = defaultFolder(home, number)
    try {
      return { path, lock: await acquireLock(path) }
    } catch (error) {
      if (!(error instanceof GrapevineError && error.code === 'data_dir_in_use')) throw error
    }
  }
  throw new GrapevineError(
    'data_dir',
    'local',
    `All ${MAX_DEFAULT_FOLDERS} default data folders in ${join(home, '.grapevine')} are in use; choose one with --data-dir.`,
  )
}

/**
 * The folder that `status` and `stop` mean: the one named, else the one default folder with a live daemon.
 * Fails with `no_daemon` when there is none and `several_daemons` when there are more.
 */
export async function findDaemon(named: string | null, home: string): Promise<string> {
  if (named !== null) return resolve(named)
  const base = join(home, '.grapevine')
  const names = (await readdir(base).catch(() => [])).filter((name) => /^default(-\d+)?$/.test(name))
  const folders: string[] = []
  for (const name of names.sort()) if ((await lockHolder(join(base, name))) !== null) folders.push(join(base, name))
  if (folders.length > 1) {
    throw new GrapevineError(
      'several_daemons',
      'local',
      `${folders.length} daemons run here; say which with --data-dir: ${folders.join(', ')}.`,
      { folders },
    )
  }
  const [folder] = folders
  if (folder === undefined) {
    throw new GrapevineError(
      'no_daemon',
      'local',
      `No daemon runs in a default folder of ${base}; start one, or name its folder with --data-dir.`,
    )
  }
  return folder
}

function defaultFolder(home: string, number: number): string {
  return join(home, '.grapevine', number === 1 ? 'default' : `default-${number}`)
}
