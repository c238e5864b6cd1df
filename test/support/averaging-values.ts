/** What a process of averaging starts from, the same wherever it is computed. */
import { sampleGaussian } from '../../src/learn/distributions.ts'
import { seededRandom } from '../../src/util/random.ts'
import { sha256 } from '../../src/util/sha256.ts'

/** Seed of a process's key, so that its peer id is known before it starts. */
export function identityOf(index: number): Uint8Array {
  return sha256(new TextEncoder().encode(`averaging ${index}`))
}

/** Independent, from N(0, 1). */
export function startValues(seed: number, index: number, dimension: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(dimension)
  sampleGaussian(new Float32Array(dimension), new Float32Array(1), seededRandom('averaging', seed, index), values)
  return values
}

/** Values as they travel between the processes. */
export function textOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

export function floatsOf(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}
