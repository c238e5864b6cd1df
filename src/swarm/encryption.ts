/**
 * Noise for libp2p, which leaves less behind: libp2p's own copies each message together before it decrypts it, for another implementation of the
 * cipher than the one in use, and throws an exception after each that it has read to the end. What is left, ciphertext and plaintext, is collected soon (util/garbage.ts).
 */
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { Garbage } from '../util/garbage.ts'
import { ENCRYPTION_GARBAGE_BYTES } from './limits.ts'

const garbage = new Garbage(ENCRYPTION_GARBAGE_BYTES)

const TAG_BYTES = 16

type Create = ReturnType<typeof noise>
type Bytes = StreamMessageEvent['data']

/** What is used here of libp2p's encrypted connections; nothing public leads to it. Messages come one at a time. */
interface Decrypting {
  readonly handshake: { decrypt(message: Bytes): Bytes }
  readonly decoder: { lengthDecoder: (bytes: Bytes) => number }
  encrypt(bytes: Bytes): Bytes
  decrypt(message: Bytes): Bytes
}

export function leanNoise(): Create {
  const create = noise()
  return (components) => {
    const inner = create(components)
    const outer: typeof inner = Object.create(inner)
    outer.secureInbound = async (...args) => lean(await inner.secureInbound(...args))
    outer.secureOutbound = async (...args) => lean(await inner.secureOutbound(...args))
    return outer
  }
}

function lean<T extends { readonly connection: MessageStream }>(secured: T): T {
  const connection = secured.connection as unknown as Decrypting
  const encrypt = connection.encrypt.bind(connection)
  connection.encrypt = (bytes) => {
    garbage.add(bytes.byteLength)
    return encrypt(bytes)
  }
  connection.decoder.lengthDecoder = messageLength
  connection.decrypt = (message) => {
    if (message.byteLength < TAG_BYTES) throw new Error('shorter than its tag')
    garbage.add(2 * message.byteLength)
    return connection.handshake.decrypt(message)
  }
  return secured
}

/** Of the message that `bytes` begin with; 0 where they are too few to tell, which is no message either: an exception for each time would be slow. */
function messageLength(bytes: Bytes): number {
  if (bytes.byteLength < 2) return 0
  return bytes instanceof Uint8Array ? (bytes[0]! << 8) | bytes[1]! : bytes.getUint16(0)
}
