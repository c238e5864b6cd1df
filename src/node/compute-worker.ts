/** Entry of the helper thread: answers each request with its digests, or its file. */
import { parentPort } from 'node:worker_threads'
import { parameterDigest } from '../util/sha256.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'
import { type ComputeReply, type ComputeRequest, chunkDigests } from './compute-protocol.ts'

parentPort!.on('message', (request: ComputeRequest) => {
  const results = perform(request)
  const reply: ComputeReply = { id: request.id, results }
  // A file is handed over, not copied; digests have no memory worth it.
  parentPort!.postMessage(reply, request.kind === 'sealTensors' ? results.map(({ buffer }) => buffer as ArrayBuffer) : [])
})

function perform(request: ComputeRequest): readonly Uint8Array[] {
  switch (request.kind) {
    case 'digest':
      return [parameterDigest(request.values)]
    case 'chunkDigests':
      return chunkDigests(request.bytes, request.chunkBytes)
    case 'sealTensors':
      return [sealTensors(request.file)]
  }
}
