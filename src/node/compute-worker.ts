/** Entry of the helper thread: answers each request with its digests, or its file. */
import { parentPort } from 'node:worker_threads'
import { runPass } from '../average/passes.ts'
import { arrayBytes, Garbage } from '../util/garbage.ts'
import { takeMadeBytes } from '../util/memory.ts'
import { parameterDigest } from '../util/sha256.ts'
import { chunkDigests, freezeReplica } from '../wire/frozen.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'
import type { ComputeReply, ComputeRequest } from './compute-protocol.ts'
import { HELPER_GARBAGE_BYTES } from './limits.ts'

const garbage = new Garbage(HELPER_GARBAGE_BYTES)

parentPort!.on('message', (request: ComputeRequest) => {
  if (request.kind === 'pass') {
    const result = runPass(request.name, request.input)
    const passed: ComputeReply = { id: request.id, results: [], passed: result, madeBytes: takeMadeBytes() }
    parentPort!.postMessage(passed)
    garbage.add(arrayBytes(request.input) + arrayBytes(result))
    return
  }
  const results = perform(request)
  const reply: ComputeReply = { id: request.id, results, madeBytes: takeMadeBytes() }
  // A file or a body is handed over, not copied; digests have no memory worth it.
  const large = request.kind === 'sealTensors' || request.kind === 'freeze' ? results.slice(0, 1) : []
  parentPort!.postMessage(
    reply,
    large.map(({ buffer }) => buffer as ArrayBuffer),
  )
})

function perform(request: Exclude<ComputeRequest, { kind: 'pass' }>): readonly Uint8Array[] {
  switch (request.kind) {
    case 'digest':
      return [parameterDigest(request.values)]
    case 'chunkDigests':
      return chunkDigests(request.bytes, request.chunkBytes)
    case 'freeze': {
      const { body, parameterDigest: digest, chunks } = freezeReplica(request.replica)
      return [body, digest, ...chunks]
    }
    case 'sealTensors':
      return [sealTensors(request.file)]
  }
}
