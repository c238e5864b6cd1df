/**
 * Environments of one's own: a module file that the user named on their own command line, never one that a peer named. Its version is a
 * digest of the file, so that only peers with the very same file learn together.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { registerModule } from '../envs/module.ts'
import type { OwnModule } from '../ports/learner.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { sha256Hex } from '../util/sha256.ts'

/** Hex digits of the file's SHA-256 that make up the version: 64 bits. */
const VERSION_DIGITS = 16

/** A path rather than the id of an environment: it begins like one or ends like a module. */
export function looksLikeModule(text: string): boolean {
  return /^(\.{0,2}\/|[A-Za-z]:\\)/.test(text) || /\.(ts|mts|js|mjs)$/.test(text)
}

/** Reads, imports and registers the module; returns the id of its environment. Throws `environment_module` with the reason. */
export async function loadOwnModule(path: string): Promise<{ readonly id: string; readonly module: OwnModule }> {
  const file = resolve(path)
  const bytes = await readFile(file).catch((error: unknown) => {
    throw amiss(path, `it cannot be read (${messageOf(error)}).`)
  })
  const module = { file, version: sha256Hex(bytes).slice(0, VERSION_DIGITS) }
  return { id: await registerOwnModule(module), module }
}

/** Imports and registers a module that was read before, in this thread. */
export async function registerOwnModule({ file, version }: OwnModule): Promise<string> {
  const exported = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw amiss(file, `importing it threw "${messageOf(error)}".`)
  })
  return registerModule(file, exported, version)
}

function amiss(file: string, what: string): GrapevineError {
  return new GrapevineError('environment_module', 'local', `The module ${file} cannot serve as an environment: ${what}`, { file })
}
