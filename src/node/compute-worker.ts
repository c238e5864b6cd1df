/** Entry of the helper thread: answers each request with its digests. */
import { parentPort } from 'node:worker_threads'
import { parameterDigest } from '../util/sha256.ts'
import { type ComputeReply, type ComputeRequest, chunkDigests } from './compute-protocol.ts'

parentPort!.on('message', (request: ComputeRequest) => {
  const digests = request.kind === 'digest' ? [parameterDigest(request.values)] : chunkDigests(request.bytes, request.chunkBytes)
  const reply: ComputeReply = { id: request.id, digests }
  parentPort!.postMessage(reply)
})
