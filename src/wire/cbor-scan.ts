/**
 * A look at the structure of CBOR bytes before anything is decoded: nesting and lengths, without recursion and without allocation.
 * Decoders recurse on nested input; a few thousand bytes of nested arrays would exhaust the stack.
 */

/** What is wrong with `bytes` as one CBOR item of definite lengths, nested at most `maxDepth` deep; null when nothing is. */
export function faultOfCbor(bytes: Uint8Array, maxDepth: number): string | null {
  /** Items still to come in each open array or map, outermost first. */
  const open: number[] = []
  let offset = 0
  do {
    const head = bytes[offset]
    if (head === undefined) return 'ends too early'
    const major = head >> 5
    const size = argumentBytes(head & 31)
    if (size === null) return 'uses an indefinite or reserved length'
    if (offset + 1 + size > bytes.length) return 'ends too early'
    const value = argument(bytes, offset, size)
    offset += 1 + size
    if (open.length > 0) open[open.length - 1]!--
    if (major === 2 || major === 3) {
      if (value > bytes.length - offset) return 'ends too early'
      offset += value
    } else if (major === 4 || major === 5) {
      const items = major === 5 ? 2 * value : value
      // Every item takes a byte at least.
      if (items > bytes.length - offset) return 'ends too early'
      if (open.length + 1 > maxDepth) return `is nested deeper than ${maxDepth} levels`
      open.push(items)
    } else if (major === 6) {
      return 'uses a tag'
    }
    while (open.length > 0 && open[open.length - 1] === 0) open.pop()
  } while (open.length > 0)
  return offset === bytes.length ? null : 'has bytes after its end'
}

/** Bytes of the argument that follows a head with these low five bits; null when the length is indefinite or reserved. */
function argumentBytes(info: number): number | null {
  if (info < 24) return 0
  return info < 28 ? 1 << (info - 24) : null
}

/** The argument of the head at `offset`, big-endian; exact up to 2^53 and never too small above. */
function argument(bytes: Uint8Array, offset: number, size: number): number {
  if (size === 0) return bytes[offset]! & 31
  let value = 0
  for (let i = 1; i <= size; i++) value = value * 256 + bytes[offset + i]!
  return value
}
