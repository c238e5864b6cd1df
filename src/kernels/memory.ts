/**
 * Blocks of a shared WebAssembly memory. Every thread that holds the memory may allocate from it: the end of what is handed out is one word in the
 * memory itself, moved by an atomic addition. A freed block is used again by the thread that freed it.
 *
 * Growing leaves older views of the memory valid, because its buffer is shared and never detached.
 */
import { GrapevineError } from '../util/errors.ts'
import { BLOCK_ALIGNMENT, GROWTH_PAGES, MEMORY_MAXIMUM_PAGES, RESERVED_BYTES } from './limits.ts'

const PAGE_BYTES = 65_536
/** Index of the word that holds the number of 64-byte lines handed out. */
const USED_LINES = 1

export function createMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: MEMORY_MAXIMUM_PAGES, shared: true })
}

export class Heap {
  readonly memory: WebAssembly.Memory
  readonly #words: Uint32Array
  /** Addresses of freed blocks by their size in lines. */
  readonly #free = new Map<number, number[]>()
  readonly #sizes = new Map<number, number>()

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory
    this.#words = new Uint32Array(memory.buffer, 0, RESERVED_BYTES / 4)
  }

  /** Address of `bytes` zeroed bytes and at least one line more: kernels may read, never write, a few floats past the end. */
  allocate(bytes: number): number {
    const lines = Math.ceil(bytes / BLOCK_ALIGNMENT) + 1
    const reused = this.#free.get(lines)?.pop()
    if (reused !== undefined) {
      new Uint8Array(this.memory.buffer, reused, lines * BLOCK_ALIGNMENT).fill(0)
      this.#sizes.set(reused, lines)
      return reused
    }
    const address = RESERVED_BYTES + Atomics.add(this.#words, USED_LINES, lines) * BLOCK_ALIGNMENT
    this.#reach(address + lines * BLOCK_ALIGNMENT)
    this.#sizes.set(address, lines)
    return address
  }

  /** Gives back a block that this heap handed out. */
  free(address: number): void {
    const lines = this.#sizes.get(address)
    if (lines === undefined) return
    this.#sizes.delete(address)
    const addresses = this.#free.get(lines)
    if (addresses === undefined) this.#free.set(lines, [address])
    else addresses.push(address)
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }

  #reach(end: number): void {
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES)
    if (missing <= 0) return
    const room = MEMORY_MAXIMUM_PAGES - this.memory.buffer.byteLength / PAGE_BYTES
    try {
      this.memory.grow(Math.max(missing, Math.min(GROWTH_PAGES, room)))
    } catch {
      throw new GrapevineError(
        'out_of_memory',
        'local',
        `The networks of this process need more than ${Math.floor(end / 1_048_576)} MiB, which the system or 32-bit addresses do not give; use a smaller network or batch.`,
        { bytes: end },
      )
    }
  }
}
