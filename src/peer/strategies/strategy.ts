/**
 * What a strategy is: how one peer averages with others, once a round. When a round comes is not its business (rounds.ts), and neither is
 * what a received frame must be (gate.ts) or how far strangers may move us (clip).
 *
 *     const strategy = { name: 'mine', rules: ['all'], start: (context) => ({ round: async () => { ... context.apply(delta, [...]) }, counters: () => ({}) }) }
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
import type { LedgerEntry } from '../exchange/ledger.ts'
import type { Mass } from '../exchange/mass.ts'
import type { OwnFrame, ReceivedFrame, VerifyOptions } from '../frames.ts'
import type { Mixed } from '../mixing.ts'
import type { Run } from '../run.ts'

/** One way of averaging, by name. */
export interface Strategy {
  readonly name: string
  /** Partner rules that it goes by, its default first; or that the manifest names one peer in a rule's place. */
  readonly rules: readonly string[] | 'a peer'
  /** null: this strategy has no rounds. */
  start(context: StrategyContext): RunningStrategy | null
}

/** A strategy at work in one peer. */
export interface RunningStrategy {
  /** One round; resolves when it is over. A throw ends this round and no other. */
  round(options: RoundOptions): Promise<void>
  counters(): Readonly<Record<string, number>>
  /** Exchanges that are not settled, or never were. */
  ledger?(): readonly LedgerEntry[]
  /** Where push-sum's weight is. */
  mass?(): Mass
}

/** Of a round that somebody drives in lock step; both absent otherwise. */
export interface RoundOptions {
  /** Whom to average with, and nobody else instead; the partner rule's choice when absent. */
  readonly partner?: PeerId
  /**
   * Given where everybody makes the round at once. Strategies that publish await it between publishing and mixing: it resolves when everybody's
   * publications have arrived. Of pairs one proposes, and nobody falls back to others.
   */
  readonly delivered?: () => Promise<void>
}

/** What a strategy works with: the peer's ports, the run, and the steps of a round that are the same for all strategies. */
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
  /** The manifest's partner rule, or the peer that it names. */
  readonly rule: string
  /** Simulations ask for the deltas of what never settles, to compare them with the drift. */
  readonly keepDeltas: boolean
  /** Aborts when the peer stops. */
  readonly signal: AbortSignal
  readonly clip: Clip
  readonly robust: RobustRule
  /** Everybody who takes part and is there, oneself included, sorted. */
  view(): readonly PeerId[]
  /** Own rounds so far, this one included. */
  epoch(): number
  /** The rule's choice for this round; null: nobody. `mutual`: with one view and epoch, its choice is this peer. */
  partner(): { readonly id: PeerId; readonly mutual: boolean } | null
  /** A new snapshot, after every earlier delta was applied, encoded. `epoch`: the round that it belongs to; the own one when absent. */
  ownFrame(epoch?: number): Promise<OwnFrame>
  /** Passes a received frame through the gate; a refused one is counted and told. */
  receive(author: PeerId, bytes: Uint8Array): ReceivedFrame
  /** The same for a frame that was asked for, of any size. `anyOrder`: also one that is older than the newest of its author. */
  verify(author: PeerId, bytes: Uint8Array, options?: VerifyOptions): Promise<ReceivedFrame>
  /** Counts against a peer, and tells, what is wrong with a message of its. */
  refuse(peer: PeerId, code: string): void
  /** Adds `delta` to the replica and takes in what came along with it: normalisers, counts, one `mix` event for each author. */
  apply(delta: Float32Array, own: OwnFrame, mixed: readonly Mixed[]): Promise<void>
  /** What failed in the background, outside a round. */
  onFailure(error: unknown): void
}
