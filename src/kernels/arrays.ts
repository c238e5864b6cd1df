/**
 * Array maths by the kernels: the deterministic build, so results have the same bits on every machine. Arrays are those of the caller; they pass
 * through a small memory of this thread block by block, which costs less than four lanes at a time save: on 1M floats plain loops take 1.3 times as
 * long at least (dot) and 6 times at most (largest).
 */
import { type KernelExports, loadKernels } from './load.ts'
import { createMemory, Heap } from './memory.ts'
import { type ArrayMaths, plain, SUMMED, sameLength } from './plain.ts'

/** Elements that pass at a time: the three blocks of an operation stay in a first-level cache. */
const BLOCK = SUMMED
/** Arrays shorter than this are done in TypeScript: copying them would cost more. */
const SHORT = 256

let shared: ArrayMaths | null = null

/** The array maths of this thread, made at first use. Plain TypeScript on machines without WebAssembly SIMD. */
export function arrayMaths(): ArrayMaths {
  shared ??= create()
  return shared
}

function create(): ArrayMaths {
  const memory = createMemory()
  const kernels = loadKernels(memory, 'deterministic')
  return kernels === null ? plain : new KernelArrays(kernels.exports, new Heap(memory))
}

/** A place for BLOCK elements in the memory, seen as every type that passes through it. */
class Block {
  readonly address: number
  readonly floats: Float32Array
  readonly halves: Uint16Array
  readonly bytes: Int8Array

  constructor(heap: Heap) {
    this.address = heap.allocate(BLOCK * 4)
    const { buffer } = heap.memory
    this.floats = new Float32Array(buffer, this.address, BLOCK)
    this.halves = new Uint16Array(buffer, this.address, BLOCK)
    this.bytes = new Int8Array(buffer, this.address, BLOCK)
  }
}

class KernelArrays implements ArrayMaths {
  readonly #kernels: KernelExports
  readonly #a: Block
  readonly #b: Block
  readonly #coefficient: Block

  constructor(kernels: KernelExports, heap: Heap) {
    this.#kernels = kernels
    this.#a = new Block(heap)
    this.#b = new Block(heap)
    this.#coefficient = new Block(heap)
  }

  axpy(y: Float32Array, a: number, x: Float32Array): void {
    if (y.length < SHORT) {
      plain.axpy(y, a, x)
      return
    }
    sameLength(y, x)
    this.#coefficient.floats[0] = a
    for (let at = 0; at < y.length; at += BLOCK) {
      const part = y.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      this.#b.floats.set(x.subarray(at, at + BLOCK))
      this.#kernels.axpy(this.#a.address, this.#b.address, part.length, this.#coefficient.address)
      part.set(this.#a.floats.subarray(0, part.length))
    }
  }

  dot(x: Float32Array, y: Float32Array): number {
    sameLength(x, y)
    let sum = 0
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      if (x !== y) this.#b.floats.set(y.subarray(at, at + BLOCK))
      sum += this.#kernels.dot(this.#a.address, x === y ? this.#a.address : this.#b.address, part.length)
    }
    return sum
  }

  difference(x: Float32Array, y: Float32Array, weight: number): number {
    if (x.length < SHORT) return plain.difference(x, y, weight)
    sameLength(x, y)
    let sum = 0
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      this.#b.floats.set(y.subarray(at, at + BLOCK))
      sum += this.#kernels.difference(this.#a.address, this.#b.address, part.length, weight)
      part.set(this.#a.floats.subarray(0, part.length))
    }
    return sum
  }

  sumOfSquares(x: Float32Array): number {
    if (x.length < SHORT) return plain.sumOfSquares(x)
    let sum = 0
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      sum += this.#kernels.squares(this.#a.address, part.length)
    }
    return sum
  }

  scale(x: Float32Array, weight: number): void {
    if (x.length < SHORT) {
      plain.scale(x, weight)
      return
    }
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      this.#kernels.scale(this.#a.address, part.length, weight)
      part.set(this.#a.floats.subarray(0, part.length))
    }
  }

  allFinite(x: Float32Array): boolean {
    if (x.length < SHORT) return plain.allFinite(x)
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      if (this.#kernels.allFinite(this.#a.address, part.length) === 0) return false
    }
    return true
  }

  largest(x: Float32Array): number {
    if (x.length < SHORT) return plain.largest(x)
    let result = 0
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      result = Math.max(result, this.#kernels.largest(this.#a.address, part.length))
    }
    return result
  }

  encodeInt8(x: Float32Array, inverse: number, q: Int8Array): void {
    if (x.length < SHORT) {
      plain.encodeInt8(x, inverse, q)
      return
    }
    sameLength(x, q)
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      this.#kernels.encodeInt8(this.#a.address, this.#b.address, part.length, inverse)
      q.set(this.#b.bytes.subarray(0, part.length), at)
    }
  }

  decodeInt8(q: Int8Array, scale: number, x: Float32Array): void {
    if (x.length < SHORT) {
      plain.decodeInt8(q, scale, x)
      return
    }
    sameLength(x, q)
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = q.subarray(at, at + BLOCK)
      this.#a.bytes.set(part)
      this.#kernels.decodeInt8(this.#a.address, this.#b.address, part.length, scale)
      x.set(this.#b.floats.subarray(0, part.length), at)
    }
  }

  encodeF16(x: Float32Array, h: Uint16Array): void {
    if (x.length < SHORT) {
      plain.encodeF16(x, h)
      return
    }
    sameLength(x, h)
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = x.subarray(at, at + BLOCK)
      this.#a.floats.set(part)
      this.#kernels.encodeF16(this.#a.address, this.#b.address, part.length)
      h.set(this.#b.halves.subarray(0, part.length), at)
    }
  }

  decodeF16(h: Uint16Array, x: Float32Array): void {
    if (x.length < SHORT) {
      plain.decodeF16(h, x)
      return
    }
    sameLength(x, h)
    for (let at = 0; at < x.length; at += BLOCK) {
      const part = h.subarray(at, at + BLOCK)
      this.#a.halves.set(part)
      this.#kernels.decodeF16(this.#a.address, this.#b.address, part.length)
      x.set(this.#b.floats.subarray(0, part.length), at)
    }
  }
}
