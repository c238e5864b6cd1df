/** A replica as its joiner downloads it: one body, named by the digests of its chunks. Several passes over the parameters. */
import type { Replica } from '../ports/learner.ts'
import type { FrozenReplica } from '../ports/workers.ts'
import { parameterDigest, sha256 } from '../util/sha256.ts'
import { encodeReplica } from './replica.ts'
import { chunkBytes } from './state.ts'

export function freezeReplica(replica: Replica): FrozenReplica {
  const body = encodeReplica(replica)
  return { body, chunks: chunkDigests(body, chunkBytes(body.length)), parameterDigest: parameterDigest(replica.parameters) }
}

/** SHA-256 of each piece of `pieceBytes` bytes; the last piece may be shorter, and no bytes have no pieces. */
export function chunkDigests(bytes: Uint8Array, pieceBytes: number): readonly Uint8Array[] {
  const digests: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) digests.push(sha256(bytes.subarray(at, at + pieceBytes)))
  return digests
}
