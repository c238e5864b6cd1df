/**
 * Which sources compiled kernels were made from: their SHA-256 stands at the end of each build, in a custom section of WebAssembly, so that a
 * tree whose sources have changed since (after git pull, say) is told instead of computing nonsense.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { sha256Hex } from '../util/sha256.ts'

const HEX_DIGITS = 64
const SECTION = 'sources'

/** Of src/kernels/assembly and the limits it imports, in hex; null where they are not, in the built package. */
export function sourcesDigest(): string | null {
  const folder = import.meta.dirname
  if (!existsSync(`${folder}/assembly`)) return null
  const files = readdirSync(`${folder}/assembly`)
    .sort()
    .map((name) => `assembly/${name}`)
    .concat('limits.ts')
  return sha256Hex(Buffer.concat(files.map((file) => readFileSync(`${folder}/${file}`))))
}

/** `wasm` with the digest behind it. */
export function withSources(wasm: Uint8Array, digest: string): Uint8Array {
  const name = [SECTION.length, ...Buffer.from(SECTION)]
  return Buffer.concat([wasm, Uint8Array.of(0, name.length + HEX_DIGITS, ...name), Buffer.from(digest)])
}

/** Whether a build was made from sources of this digest. */
export function isFrom(wasm: Uint8Array, digest: string): boolean {
  return Buffer.from(wasm.subarray(-HEX_DIGITS)).toString('latin1') === digest
}
