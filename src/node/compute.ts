/**
 * Passes over large arrays off the main thread: inline up to INLINE_PASS_BYTES, in one helper thread above. The helper starts with the
 * first large array and does not keep the process alive; should it crash, what it was asked rejects and the next call starts another.
 */
import type { Worker } from 'node:worker_threads'
import type { Replica } from '../ports/learner.ts'
import type { TensorFile } from '../ports/tensors.ts'
import type { Compute, FrozenReplica, Pass } from '../ports/workers.ts'
import { GrapevineError } from '../util/errors.ts'
import { Garbage, markSeldom } from '../util/garbage.ts'
import { takeMadeBytes } from '../util/memory.ts'
import { parameterDigest } from '../util/sha256.ts'
import { chunkDigests, freezeReplica } from '../wire/frozen.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'
import type { ComputeReply, ComputeRequest } from './compute-protocol.ts'
import { INLINE_PASS_BYTES, PASSED_GARBAGE_BYTES } from './limits.ts'
import { startWorker } from './start-worker.ts'

interface Helper {
  readonly worker: Worker
  readonly pending: Map<number, { readonly resolve: (reply: ComputeReply) => void; readonly reject: (error: unknown) => void }>
}

export class ThreadCompute implements Compute {
  readonly #garbage = new Garbage(PASSED_GARBAGE_BYTES, { all: true })
  #helper: Helper | null = null
  #nextId = 0
  #stopped = false

  async digest(values: Float32Array): Promise<Uint8Array> {
    if (values.byteLength <= INLINE_PASS_BYTES) return parameterDigest(values)
    const [digest] = await this.#ask({ kind: 'digest', id: this.#nextId++, values: shared(values) })
    return digest!
  }

  async chunkDigests(bytes: Uint8Array, chunkBytes: number): Promise<readonly Uint8Array[]> {
    if (bytes.length <= INLINE_PASS_BYTES) return chunkDigests(bytes, chunkBytes)
    return this.#ask({ kind: 'chunkDigests', id: this.#nextId++, bytes: shared(bytes), chunkBytes })
  }

  async freeze(replica: Replica): Promise<FrozenReplica> {
    const { parameters, target } = replica
    if (parameters.byteLength + (target?.byteLength ?? 0) <= INLINE_PASS_BYTES) return freezeReplica(replica)
    const handed = { ...replica, parameters: shared(parameters), target: target === null ? null : shared(target) }
    const [body, parameterDigest, ...chunks] = await this.#ask({ kind: 'freeze', id: this.#nextId++, replica: handed })
    return { body: body!, parameterDigest: parameterDigest!, chunks }
  }

  async sealTensors(file: TensorFile): Promise<Uint8Array> {
    const arrays = Object.values(file.tensors).map(({ data }) => data)
    if (arrays.reduce((sum, { byteLength }) => sum + byteLength, 0) <= INLINE_PASS_BYTES) return sealTensors(file)
    const buffers = new Set(arrays.map(({ buffer }) => buffer))
    const own = [...buffers].filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer)
    const [bytes] = await this.#ask({ kind: 'sealTensors', id: this.#nextId++, file }, own)
    return bytes!
  }

  async pass<I, O>(pass: Pass<I, O>, input: I, bytes: number): Promise<O> {
    if (bytes <= INLINE_PASS_BYTES) return pass.run(input)
    const { passed, madeBytes } = await this.#reply({ kind: 'pass', id: this.#nextId++, name: pass.name, input })
    this.#garbage.add(madeBytes + takeMadeBytes())
    return passed as O
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#helper?.worker.terminate()
  }

  async #ask(request: ComputeRequest, handedOver: readonly ArrayBuffer[] = []): Promise<readonly Uint8Array[]> {
    return (await this.#reply(request, handedOver)).results
  }

  #reply(request: ComputeRequest, handedOver: readonly ArrayBuffer[] = []): Promise<ComputeReply> {
    if (this.#stopped) return Promise.reject(lost('this peer is stopping'))
    this.#helper ??= this.#start()
    const helper = this.#helper
    return new Promise((resolve, reject) => {
      helper.pending.set(request.id, { resolve, reject })
      // Only work in progress keeps the process alive.
      helper.worker.ref()
      helper.worker.postMessage(request, handedOver)
    })
  }

  #start(): Helper {
    markSeldom()
    const worker = startWorker('compute-worker', { name: 'helper' })
    const helper: Helper = { worker, pending: new Map() }
    worker.on('message', (reply: ComputeReply) => {
      helper.pending.get(reply.id)?.resolve(reply)
      helper.pending.delete(reply.id)
      if (helper.pending.size === 0) worker.unref()
    })
    let reason = 'it ended by itself'
    worker.on('error', (error) => {
      reason = error.message
    })
    worker.once('exit', () => {
      if (this.#helper === helper) this.#helper = null
      for (const { reject } of helper.pending.values()) reject(lost(this.#stopped ? 'this peer is stopping' : reason))
      helper.pending.clear()
    })
    return helper
  }
}

function lost(reason: string): GrapevineError<'helper_lost'> {
  return new GrapevineError('helper_lost', 'local', `The helper thread did not finish its work because ${reason}.`, { reason })
}

/** The same elements in shared memory, which a message hands over without a copy; copied only where they are not there yet. */
function shared<T extends Float32Array | Uint8Array>(array: T): T {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const bytes = new Uint8Array(new SharedArrayBuffer(array.byteLength))
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return (array instanceof Float32Array ? new Float32Array(bytes.buffer) : bytes) as T
}
