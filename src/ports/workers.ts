/** Where work runs that must not hold up the caller: threads in the daemon, inline in the simulator. */
import type { ReplicaEvaluator } from './evaluator.ts'
import type { Learner, LearnerSettings, Replica } from './learner.ts'
import type { TensorFile } from './tensors.ts'

/** Passes over large arrays; each call may run in a helper thread. Arrays may be transferred back and forth: the caller uses what is returned. */
export interface Compute {
  /** SHA-256 of the little-endian bytes of `values`. */
  digest(values: Float32Array): Promise<Uint8Array>
  /** SHA-256 of each `chunkBytes` piece of `bytes`. */
  chunkDigests(bytes: Uint8Array, chunkBytes: number): Promise<readonly Uint8Array[]>
  /** The bytes of a sealed safetensors file. Its arrays are given away. */
  sealTensors(file: TensorFile): Promise<Uint8Array>
  /** The body of a snapshot, encoded and digested; `replica` is only read, and not after the promise has settled. */
  freeze(replica: Replica): Promise<FrozenReplica>
  /** `pass` of average/passes.ts over `input`, in a helper thread where `bytes`, what it reads, is large. */
  pass<I, O>(pass: Pass<I, O>, input: I, bytes: number): Promise<O>
}

/** A pure function with a name, of cloneable values. */
export interface Pass<I, O> {
  readonly name: string
  readonly run: (input: I) => O
}

export interface FrozenReplica {
  readonly body: Uint8Array
  /** SHA-256 of each piece of the body (see wire/state.ts). */
  readonly chunks: readonly Uint8Array[]
  /** SHA-256 of the parameters. */
  readonly parameterDigest: Uint8Array
}

export interface Workers {
  learner(settings: LearnerSettings): Promise<Learner>
  /** Of the replicas that such a learner makes. */
  evaluator(settings: LearnerSettings): ReplicaEvaluator
  readonly compute: Compute
  stop(): Promise<void>
}
