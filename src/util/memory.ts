/**
 * Arrays that helper threads may be given: large ones lie in shared memory, which a message hands over without a copy.
 */

/** Bytes above which a pass over an array leaves the main thread: 1 MiB takes SHA-256 about a millisecond. */
export const LARGE_BYTES = 1_048_576

export function allocateFloats(count: number): Float32Array {
  return new Float32Array(allocateBuffer(4 * count))
}

/** A copy. */
export function copyFloats(values: Float32Array): Float32Array {
  const copy = allocateFloats(values.length)
  copy.set(values)
  return copy
}

function allocateBuffer(bytes: number): ArrayBufferLike {
  return bytes > LARGE_BYTES ? makeShared(bytes) : new ArrayBuffer(bytes)
}

// Memory that is used again. To make shared memory costs a page fault for every 4 KiB, and to be rid of it a collection of the whole heap, because
// nothing less looks at what has grown old; after that the compiler begins anew as well (V8 drops code that mentions shapes of which no object is left).

/** Sizes are multiples of this, so that a vector and the frame that carries it fit into the same. */
const REUSED_MULTIPLE_BYTES = 65_536

/** What one exchange has at a time: two frames, a difference, and where the last mix left the replica. */
const MOST_SPARE = 4

/** Given back, the longest ago first. */
const spare: SharedArrayBuffer[] = []
const reusable = new WeakSet<SharedArrayBuffer>()

/**
 * [count], of any content: of memory that was given back, where some of this size was. `beside`: bytes of the largest array of the pass that writes into
 * it; what a pass in a helper thread writes must lie in shared memory, however small it is, or it would stay there.
 */
export function reuseFloats(count: number, beside = 0): Float32Array {
  return new Float32Array(reuseBuffer(4 * count, beside), 0, count)
}

/** [length], of any content; `beside` as for `reuseFloats`. */
export function reuseBytes(length: number, beside = 0): Uint8Array {
  return new Uint8Array(reuseBuffer(length, beside), 0, length)
}

/** An array of `reuseFloats` or `reuseBytes`, which nobody will read or write again; any other is left alone. */
export function giveBack({ buffer }: Float32Array | Uint8Array): void {
  if (!(buffer instanceof SharedArrayBuffer) || !reusable.has(buffer) || spare.includes(buffer)) return
  spare.push(buffer)
  if (spare.length > MOST_SPARE) spare.shift()
}

function reuseBuffer(bytes: number, beside: number): ArrayBufferLike {
  if (Math.max(bytes, beside) <= LARGE_BYTES) return new ArrayBuffer(bytes)
  const length = REUSED_MULTIPLE_BYTES * Math.ceil(bytes / REUSED_MULTIPLE_BYTES)
  const at = spare.findIndex(({ byteLength }) => byteLength === length)
  if (at >= 0) return spare.splice(at, 1)[0]!
  const buffer = makeShared(length)
  reusable.add(buffer)
  return buffer
}

let madeBytes = 0

function makeShared(bytes: number): SharedArrayBuffer {
  madeBytes += bytes
  return new SharedArrayBuffer(bytes)
}

/** Bytes of shared memory that this thread has made since it was last asked. */
export function takeMadeBytes(): number {
  const made = madeBytes
  madeBytes = 0
  return made
}
