/**
 * Where a daemon keeps its things. A folder that was named is used or fails; without a name the first of `~/.grapevine/default`,
 * `default-2`, ... that no live daemon holds is taken.
 */
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { GrapevineError } from '../util/errors.ts'
import { MAX_DEFAULT_FOLDERS } from './limits.ts'
import { acquireLock, lockHolder } from './lock.ts'

export interface DataFolder {
  /** Absolute. */
  readonly path: string
  /** Gives the folder back; idempotent. */
  release(): Promise<void>
}

/** Fails with `data_dir_in_use` or `data_dir`. `home` is the user's home folder. */
export async function openDataFolder(named: string | null, home = homedir()): Promise<DataFolder> {
  if (named !== null) return open(resolve(named))
  for (let number = 1; number <= MAX_DEFAULT_FOLDERS; number++) {
    try {
      return await open(defaultFolder(home, number))
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

/** Fails with `data_dir` unless the folder, where one is named, is there: what is to be read is not made. */
export async function requireFolder(named: string | null): Promise<void> {
  if (named === null) return
  const found = await stat(resolve(named)).catch(() => null)
  if (found?.isDirectory() === true) return
  throw new GrapevineError('data_dir', 'local', `There is no folder ${resolve(named)}; name the data folder of an earlier run.`, {
    folder: resolve(named),
  })
}

/**
 * The folder that `status` and `stop` mean: the one named, else the one default folder with a live daemon.
 * Fails with `no_daemon` when there is none and `several_daemons` when there are more.
 */
export async function findDaemon(named: string | null, home = homedir()): Promise<string> {
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

async function open(path: string): Promise<DataFolder> {
  const lock = await acquireLock(path)
  return { path, release: lock.release }
}

function defaultFolder(home: string, number: number): string {
  return join(home, '.grapevine', number === 1 ? 'default' : `default-${number}`)
}
