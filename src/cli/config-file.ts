/** Reads the file of `--config`: YAML, a map of settings. Fails with `config`, saying what and, where it is known, in which line. */
import { open } from 'node:fs/promises'
import { GrapevineError } from '../util/errors.ts'
import { MAX_CONFIG_BYTES } from './limits.ts'

export async function readConfigFile(path: string): Promise<{ readonly path: string; readonly values: unknown }> {
  // Most daemons start without such a file.
  const { parse, YAMLParseError } = await import('yaml')
  try {
    return { path, values: parse(await readBounded(path), { maxAliasCount: 100 }) }
  } catch (error) {
    if (error instanceof GrapevineError) throw error
    const reason =
      error instanceof YAMLParseError ? (error.message.split('\n')[0] ?? '').replace(/:$/, '') : String((error as Error).message)
    throw new GrapevineError('config', 'local', `Cannot read the settings in ${path === '' ? '""' : path} (--config): ${reason}.`, { path })
  }
}

/** The text of a file of at most MAX_CONFIG_BYTES. */
export async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_CONFIG_BYTES + 1), 0, MAX_CONFIG_BYTES + 1, 0)
    if (bytesRead > MAX_CONFIG_BYTES) throw new Error(`it is larger than ${MAX_CONFIG_BYTES} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
