/**
 * What a strategy is: how one peer averages with others, once a round. When a round comes is not its business (rounds.ts), and neither is
 * what a received frame must be (gate.ts) or how far strangers may move us (clip).
 *
 *     const strategy = { name: 'mine', start: (context) => ({ round: async () => { ... context.apply(delta, [...]) }, counters: () => ({}) }) }
 *
 * `start` may subscribe and serve; everything ends when `context.signal` aborts.
 */
import type { Codec } from '../../average/codecs.ts'
import type { RobustRule } from '../../average/combine.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Learner } from '../../ports/learner.ts'
import type { Network, PeerId } from '../../ports/network.ts'
import type { Random } from '../../ports/random.ts'
import type { Compute } from '../../ports/workers.ts'
import type { Authors } from '../authors.ts'
import type { Clip } from '../clip.ts'
import type { OwnFrame, ReceivedFrame } from '../frames.ts'
import type { Mixed } from '../mixing.ts'
import type { Run } from '../run.ts'

export interface Strategy {
  readonly name: string
  /** null: this strategy has no rounds. */
  start(context: StrategyContext): RunningStrategy | null
}

export interface RunningStrategy {
  /** One round; resolves when it is over. A throw ends this round and no other. */
  round(options: RoundOptions): Promise<void>
  counters(): Readonly<Record<string, number>>
}

/** Of a round that somebody drives in lock step; both absent otherwise. */
export interface RoundOptions {
  /** Whom to average with, and nobody else instead; the partner rule's choice when absent. */
  readonly partner?: PeerId
  /** Awaited by strategies that publish, between publishing and mixing: resolves when everybody's publications have arrived. */
  readonly delivered?: () => Promise<void>
}

export interface StrategyContext {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly compute: Compute
  readonly learner: Learner
  readonly authors: Authors
  readonly run: Run
  readonly codec: Codec
  readonly incarnation: number
  /** Aborts when the peer stops. */
  readonly signal: AbortSignal
  readonly clip: Clip
  readonly robust: RobustRule
  /** Everybody who takes part and is there, oneself included, sorted. */
  view(): readonly PeerId[]
  /** Own rounds so far, this one included. */
  epoch(): number
  /** A new snapshot, after every earlier delta was applied, encoded. `epoch`: the round that it belongs to; the own one when absent. */
  ownFrame(epoch?: number): Promise<OwnFrame>
  /** Passes a received frame through the gate; a refused one is counted and told. */
  receive(author: PeerId, bytes: Uint8Array): ReceivedFrame
  /** Adds `delta` to the replica and takes in what came along with it: normalisers, counts, one `mix` event for each author. */
  apply(delta: Float32Array, own: OwnFrame, mixed: readonly Mixed[]): Promise<void>
}
