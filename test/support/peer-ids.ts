/** Ed25519 peer ids for tests: well-formed, of keys nobody has. */
import { toString as asText } from 'uint8arrays/to-string'

/** The peer id of the public key that is 32 times `byte`. */
export function examplePeerId(byte: number): string {
  return asText(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...new Uint8Array(32).fill(byte)), 'base58btc')
}
