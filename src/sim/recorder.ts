/**
 * What a simulation reports: the swarm measured exactly, from outside, after every round. Nothing here disturbs a peer. Curves and returns
 * are of the honest peers; the digest is of all.
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import { exactConsensusDistance, meanOf, sumOfSquares } from '../average/distance.ts'
import { parameterDigest } from '../util/sha256.ts'
import type { Account } from './drift.ts'
import type { SimulatedNode } from './node.ts'

/** One point after each round, the start first. */
export interface Curves {
  readonly virtualSeconds: readonly number[]
  /** Root mean square over parameters and replicas of (x_i - mean). */
  readonly consensusDistance: readonly number[]
  /** Mean over the peers of their mean return of the last 100 episodes; null before any. */
  readonly returnMean: readonly (number | null)[]
  /** Lowest and highest of them. */
  readonly returnLow: readonly (number | null)[]
  readonly returnHigh: readonly (number | null)[]
  /** Bytes sent by all peers so far. */
  readonly bytes: readonly number[]
  /** Environment steps of all peers so far. */
  readonly steps: readonly number[]
}

type Growing = { -readonly [K in keyof Curves]: Curves[K][number][] }

export class Recorder {
  readonly #nodes: readonly SimulatedNode[]
  readonly #honest: readonly SimulatedNode[]
  /** Of the honest peers. */
  readonly #replicas: readonly Float32Array[]
  readonly #curves: Growing = {
    virtualSeconds: [],
    consensusDistance: [],
    returnMean: [],
    returnLow: [],
    returnHigh: [],
    bytes: [],
    steps: [],
  }
  /** Mean and root mean square norm of the replicas at the start. */
  readonly #mean0: Float64Array
  readonly #norm0: number

  constructor(nodes: readonly SimulatedNode[]) {
    this.#nodes = nodes
    this.#honest = nodes.filter(({ honest }) => honest)
    this.#replicas = this.#honest.map(emptyReplica)
    this.#read()
    this.#mean0 = meanOf(this.#replicas)
    this.#norm0 = Math.sqrt(this.#replicas.reduce((sum, replica) => sum + sumOfSquares(replica), 0) / this.#replicas.length)
  }

  /** Of the honest peers, as of the last record; not to be kept or changed. */
  get replicas(): readonly Float32Array[] {
    return this.#replicas
  }

  get curves(): Curves {
    return this.#curves
  }

  /** Mean return of each honest peer; null before its first episode. */
  returns(): (number | null)[] {
    return this.#honest.map(({ core }) => core!.progress(false, null).returnMean)
  }

  record(nowMs: number): void {
    this.#read()
    const curves = this.#curves
    curves.virtualSeconds.push(nowMs / 1_000)
    curves.consensusDistance.push(exactConsensusDistance(this.#replicas).distance)
    const progress = this.#honest.map(({ core }) => core!.progress(false, null))
    const returns = progress.flatMap(({ returnMean }) => returnMean ?? [])
    curves.returnMean.push(returns.length === 0 ? null : returns.reduce((sum, value) => sum + value, 0) / returns.length)
    curves.returnLow.push(returns.length === 0 ? null : Math.min(...returns))
    curves.returnHigh.push(returns.length === 0 ? null : Math.max(...returns))
    curves.bytes.push(this.#nodes.reduce((sum, { bytesOut }) => sum + bytesOut, 0))
    curves.steps.push(progress.reduce((sum, { steps }) => sum + steps, 0))
  }

  /** norm(mean now - mean at the start - ledger), or what the weights are wrong by, over the root mean square norm at the start; null where all was zero. */
  meanDrift(account: Account | null): number | null {
    if (this.#norm0 === 0 || account === null) return null
    const drift = account.mean.map((value, i) => value - this.#mean0[i]! - account.ledger[i]!)
    return Math.max(Math.sqrt(sumOfSquares(drift)) / this.#norm0, Math.abs(account.weightError))
  }

  /** SHA-256 (hex) over all replicas, in the order of the peers. */
  digest(): string {
    const replicas = this.#nodes.map(emptyReplica)
    for (const [i, node] of this.#nodes.entries()) node.replica(replicas[i]!)
    return encodeText(parameterDigest(...replicas), 'base16')
  }

  #read(): void {
    for (const [i, node] of this.#honest.entries()) node.replica(this.#replicas[i]!)
  }
}

function emptyReplica({ core }: SimulatedNode): Float32Array {
  return new Float32Array(core!.description.parameterCount)
}
