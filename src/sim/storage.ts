/** The Storage port in memory. `files` is open to tests, and `secrets` has the names written with `secret`. */
import type { Storage } from '../ports/storage.ts'

export class MemoryStorage implements Storage {
  readonly files = new Map<string, Uint8Array>()
  readonly secrets = new Set<string>()

  async read(name: string): Promise<Uint8Array | null> {
    return this.files.get(name)?.slice() ?? null
  }

  async write(name: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): Promise<void> {
    this.files.set(name, new Uint8Array(bytes))
    if (options?.secret === true) this.secrets.add(name)
    else this.secrets.delete(name)
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    this.files.set(name, new Uint8Array(Buffer.concat([this.files.get(name) ?? new Uint8Array(0), bytes])))
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name)
    this.secrets.delete(name)
  }

  async list(folder: string): Promise<readonly string[]> {
    const prefix = folder === '' ? '' : `${folder}/`
    const inside = [...this.files.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
    return inside.filter((name) => !name.includes('/')).sort()
  }
}
