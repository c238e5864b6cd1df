/**
 * Where a sealed safetensors file carries its checksum: its metadata begins with the SHA-256 of the whole file, computed with zeros in its place.
 * Computing it is left to the caller: browsers and Node do it differently.
 */
const PREFIX = '{"__metadata__":{"sha256":"'
export const SEAL_DIGITS = 64
/** After the length of the header. */
export const SEAL_AT = 8 + PREFIX.length

/** The checksum in hex and the bytes it is of; null: the file has none. */
export function sealIn(bytes: Uint8Array): { readonly sha256: string; readonly of: Uint8Array<ArrayBuffer> } | null {
  const text = new TextDecoder('latin1').decode(bytes.subarray(8, SEAL_AT + SEAL_DIGITS))
  if (!text.startsWith(PREFIX)) return null
  const of = new Uint8Array(bytes)
  of.fill(0x30, SEAL_AT, SEAL_AT + SEAL_DIGITS)
  return { sha256: text.slice(PREFIX.length), of }
}
