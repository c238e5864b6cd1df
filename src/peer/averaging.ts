/**
 * The averaging of one peer: the strategy that the manifest names, its rounds, and what they need to know of the others: who takes part, whom the
 * partner rule chooses, how fast to learn in their company. Before `start`, and with a strategy that has no rounds, nothing ever comes of it.
 */
import type { Codec, CodecModel } from '../average/codecs.ts'
import { robustRule } from '../average/combine.ts'
import { NO_OUTER_STEP } from '../average/outer.ts'
import { isMutual, PAIR_RULES, partnerBy } from '../average/partners.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { PeerId } from '../ports/network.ts'
import type { Authors } from './authors.ts'
import type { Clip } from './clip.ts'
import type { Consensus } from './consensus.ts'
import type { LedgerEntry } from './exchange/ledger.ts'
import type { Mass } from './exchange/mass.ts'
import type { Frames } from './frames.ts'
import { Mixing } from './mixing.ts'
import type { OwnMoves } from './own-moves.ts'
import { Rate } from './rate.ts'
import { relayedPeers } from './relayed.ts'
import { Rounds } from './rounds.ts'
import type { PeerPorts, Run } from './run.ts'
import type { RoundOptions, RunningStrategy } from './strategies/strategy.ts'
import { strategyNamed } from './strategies.ts'

interface AveragingOptions {
  readonly run: Run
  readonly ports: PeerPorts
  readonly codec: Codec
  readonly codecModel: CodecModel
  readonly authors: Authors
  readonly frames: Frames
  readonly moves: OwnMoves
  readonly clip: Clip
  readonly consensus: Consensus
  readonly incarnation: number
  readonly minPeriodMs: number
  readonly keepDeltas: boolean
  /** Rounds come only by `once`. */
  readonly driven: boolean
  /** Everybody who takes part, this peer included, sorted; when absent: whoever is reached without a relay. */
  readonly view?: (() => readonly PeerId[]) | undefined
  /** Aborts when the peer stops. */
  readonly signal: AbortSignal
  readonly emit: (event: PeerEvent) => void
  readonly onFailure: (error: unknown) => void
}

export class Averaging {
  readonly #options: AveragingOptions
  #strategy: RunningStrategy | null = null
  #rounds: Rounds | null = null

  constructor(options: AveragingOptions) {
    this.#options = options
  }

  /** Subscribes and serves as the strategy needs. */
  start(): void {
    const { run, ports, codec, codecModel, authors, frames, moves, clip, consensus, incarnation, minPeriodMs, keepDeltas, driven } =
      this.#options
    const { signal, emit, onFailure } = this.#options
    const { network, clock, random, workers } = ports
    const { manifest, learner } = run
    const strategy = strategyNamed(manifest.averaging.strategy)
    const rate = new Rate({
      rule: manifest.averaging.rate ?? null,
      learner,
      rounds: () => this.count,
      isThere: (id) => this.#isThere(id),
      together: () => consensus.together,
    })
    const robust = robustRule(manifest.averaging.robust)
    const mixing = new Mixing({
      strategy: strategy.name,
      codec,
      codecModel,
      robust,
      clock,
      learner,
      authors,
      moves,
      compute: workers.compute,
      outer: manifest.averaging.outer ?? NO_OUTER_STEP,
      consensus,
      rate,
      peers: () => this.view().length,
      emit,
    })
    const epoch = () => this.epoch
    this.#strategy = strategy.start({
      network,
      clock,
      random,
      compute: workers.compute,
      learner,
      authors,
      run,
      codec,
      incarnation,
      signal,
      clip,
      robust,
      rule: manifest.averaging.partner,
      keepDeltas,
      view: () => this.view(),
      epoch,
      partner: () => this.#partner(),
      ownFrame: (drawn) => frames.take(drawn ?? epoch()),
      receive: (author, bytes) => frames.receive(author, bytes),
      verify: (author, bytes, how) => frames.verify(author, bytes, how),
      refuse: (author, code) => frames.refuse(author, code),
      apply: (delta, own, mixed) => mixing.apply(delta, own.snapshot, mixed),
      onFailure,
    })
    if (this.#strategy === null) return
    this.#rounds = new Rounds({
      strategy: this.#strategy,
      clock,
      learner,
      period: () => consensus.period,
      minPeriodMs,
      inCompany: () => this.view().length > 1,
      onAlone: () => rate.mixed([]),
      ahead: () => (driven ? [] : authors.partners().flatMap((author) => author.ahead ?? [])),
      onFailure,
    })
  }

  /** Rounds at their own pace until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#rounds?.run(signal) ?? Promise.resolve()
  }

  /** One round, after those under way; rejects when it fails. */
  once(options: RoundOptions): Promise<void> {
    return this.#rounds?.once(options) ?? Promise.resolve()
  }

  get epoch(): number {
    return this.#rounds?.epoch ?? 0
  }

  /** Own rounds so far. */
  get count(): number {
    return this.#rounds?.count ?? 0
  }

  counters(): Readonly<Record<string, number>> {
    return { rounds: this.count, roundsFailed: this.#rounds?.failed ?? 0, ...this.#strategy?.counters() }
  }

  /** Exchanges that are not settled, or never were; empty with strategies that have none. */
  ledger(): readonly LedgerEntry[] {
    return this.#strategy?.ledger?.() ?? []
  }

  /** Where push-sum's weight is; null with other strategies. */
  mass(): Mass | null {
    return this.#strategy?.mass?.() ?? null
  }

  /** Everybody who takes part and is there, this peer included, sorted. */
  view(): readonly PeerId[] {
    const { view, authors, ports } = this.#options
    if (view !== undefined) return view()
    const { network } = ports
    const relayed = relayedPeers(network)
    const reached = authors.partners().filter(({ id }) => !relayed.has(id))
    return [network.id, ...reached.map(({ id }) => id)].sort()
  }

  #partner(): { readonly id: PeerId; readonly mutual: boolean } | null {
    const { run, ports } = this.#options
    const { network, random } = ports
    const rule = PAIR_RULES.find((name) => name === run.manifest.averaging.partner) ?? 'random'
    const view = this.view()
    const id = partnerBy(rule, { self: network.id, view, run: run.id, epoch: this.epoch, random })
    return id === null ? null : { id, mutual: isMutual(rule, view, network.id) }
  }

  #isThere(id: PeerId): boolean {
    const { authors, ports } = this.#options
    const author = authors.get(id)
    return author !== undefined && ['connecting', 'alive'].includes(author.state) && !authors.isMuted(author, ports.clock.now())
  }
}
