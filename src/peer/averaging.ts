/**
 * The averaging of one peer: the strategy that the manifest names, its rounds, the frames that pass between peers, and what is to be known of the
 * others: who takes part, whom the partner rule chooses, how far they may move us, how fast to learn in their company. Before `start`, and with a
 * strategy that has no rounds, nothing ever comes of it.
 */
import { type Codec, type CodecModel, codecNamed, payloadBytes } from '../average/codecs.ts'
import { robustRule } from '../average/combine.ts'
import { isPlainAveraging, NO_OUTER_STEP } from '../average/outer.ts'
import { isMutual, pairRuleNamed, partnerBy } from '../average/partners.ts'
import { consensusLevels } from '../average/period.ts'
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { PeerId } from '../ports/network.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import type { Author, Authors } from './authors.ts'
import { NO_CLIP, SelfCentredClip } from './clip.ts'
import { Consensus } from './consensus.ts'
import type { LedgerEntry } from './exchange/ledger.ts'
import type { Mass } from './exchange/mass.ts'
import { Frames } from './frames.ts'
import type { Intake } from './intake.ts'
import { MAX_GOSSIP_FRAME_BYTES, MOST_AUTO_PERIOD_UPDATES } from './limits.ts'
import { Mixing } from './mixing.ts'
import { OwnMoves } from './own-moves.ts'
import { Places } from './places.ts'
import { Rate } from './rate.ts'
import { relayedPeers } from './relayed.ts'
import { Rounds } from './rounds.ts'
import type { PeerPorts, Run } from './run.ts'
import type { Snapshots } from './snapshots.ts'
import { broadcast } from './strategies/broadcast.ts'
import type { RoundOptions, RunningStrategy } from './strategies/strategy.ts'
import { strategyNamed } from './strategies.ts'
import { farApart } from './warnings.ts'

interface AveragingOptions {
  readonly run: Run
  readonly ports: PeerPorts
  readonly snapshots: Snapshots
  readonly authors: Authors
  readonly intake: Intake
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
  readonly onHeard: (author: Author) => void
  readonly onRefused: (peer: PeerId, code: string) => void
  readonly onFailure: (error: unknown) => void
}

export class Averaging {
  readonly #options: AveragingOptions
  readonly #codec: Codec
  readonly #codecModel: CodecModel
  readonly #clip: SelfCentredClip | null
  readonly #moves: OwnMoves
  readonly #consensus: Consensus
  readonly #frames: Frames
  #strategy: RunningStrategy | null = null
  #rounds: Rounds | null = null

  constructor(options: AveragingOptions) {
    this.#options = options
    const { run, ports, snapshots, authors, intake, incarnation, emit, onHeard, onRefused } = options
    const { network, clock, workers } = ports
    const { manifest, learner } = run
    const { strategy, codec, robust, outer = NO_OUTER_STEP, period, periodTarget = null } = manifest.averaging
    const { slices, moments = [] } = learner.describe()
    this.#codecModel = { run: run.id, slices: slices.map(({ length }) => length), moments }
    this.#codec = codecNamed(codec, this.#codecModel)
    this.#clip = robust === 'none' ? null : new SelfCentredClip((id) => this.#distrust(id), this.#places())
    this.#moves = new OwnMoves(workers.compute, this.#clip !== null || !isPlainAveraging(outer) || strategy === broadcast.name)
    this.#consensus = new Consensus({
      levels: consensusLevels(manifest.algorithm.id),
      period,
      target: periodTarget,
      bounds: { least: 1, most: Math.max(period, MOST_AUTO_PERIOD_UPDATES) },
      onDanger: (relative) => emit(farApart(relative)),
    })
    this.#frames = new Frames({
      self: network.id,
      run,
      codec: this.#codec,
      codecModel: this.#codecModel,
      compute: workers.compute,
      incarnation,
      snapshots,
      authors,
      moves: this.#moves,
      now: () => clock.now(),
      intake,
      onHeard,
      onRefused,
    })
  }

  /** Subscribes and serves as the strategy needs. */
  start(): void {
    const { run, ports, authors, incarnation, minPeriodMs, keepDeltas, driven, signal, emit, onFailure } = this.#options
    const { network, clock, random, workers } = ports
    const { manifest, learner } = run
    const [frames, consensus] = [this.#frames, this.#consensus]
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
      codec: this.#codec,
      codecModel: this.#codecModel,
      robust,
      clock,
      learner,
      authors,
      moves: this.#moves,
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
      codec: this.#codec,
      incarnation,
      signal,
      clip: this.#clip ?? NO_CLIP,
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

  /** `parameters`: those before the first own update. */
  begin(parameters: Float32Array): void {
    this.#moves.begin(parameters)
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

  /** Frames of its own so far. */
  get sequence(): number {
    return this.#frames.sequence
  }

  counters(): Readonly<Record<string, number>> {
    return {
      rounds: this.count,
      roundsFailed: this.#rounds?.failed ?? 0,
      ...this.#strategy?.counters(),
      clipped: this.#clip?.clipped ?? 0,
      period: this.#consensus.period,
    }
  }

  /** Counts against `id`, and tells, what is wrong with a message of its own. */
  refuse(id: PeerId, code: string): void {
    this.#frames.refuse(id, code)
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

  /** null where frames are too large to be looked at as a whole here, or carry other coordinates every time. */
  #places(): Places | null {
    const { run, ports } = this.#options
    const { parameterCount, initial, normaliserSizes } = run
    const frameBytes = encodedFrameBytes(payloadBytes(this.#codec, parameterCount), normaliserSizes)
    if (frameBytes > MAX_GOSSIP_FRAME_BYTES || this.#codec.coordinates(parameterCount) !== null) return null
    const secret = ports.random.fork('places')
    const key = Array.from({ length: 4 }, () => secret.uint32()).join(' ')
    let sketcher: Sketcher | null = null
    return new Places((parameters) => {
      sketcher ??= new Sketcher(key, initial)
      return sketcher.sketch(parameters)
    })
  }

  #partner(): { readonly id: PeerId; readonly mutual: boolean } | null {
    const { run, ports } = this.#options
    const { network, random } = ports
    const rule = pairRuleNamed(run.manifest.averaging.partner)
    const view = this.view()
    const id = partnerBy(rule, { self: network.id, view, run: run.id, epoch: this.epoch, random })
    return id === null ? null : { id, mutual: isMutual(rule, view, network.id) }
  }

  #distrust(id: PeerId): void {
    const { authors, ports } = this.#options
    const author = authors.get(id)
    if (author !== undefined) authors.refuse(author, 'far', ports.clock.now())
  }

  #isThere(id: PeerId): boolean {
    const { authors, ports } = this.#options
    const author = authors.get(id)
    return author !== undefined && ['connecting', 'alive'].includes(author.state) && !authors.isMuted(author, ports.clock.now())
  }
}
