/**
 * One peer: a replica that learns, hears others, and averages with them. All it needs of the world comes through ports, so the same code
 * runs in the daemon and, on virtual time, in the simulator.
 *
 * Life: `start` announces the peer and begins to learn; `stop` says goodbye and ends every loop. Nothing here waits for another peer
 * before learning goes on.
 */
import { type Codec, codecNamed } from '../average/codecs.ts'
import { isPlainAveraging, NO_OUTER_STEP } from '../average/outer.ts'
import { consensusLevels } from '../average/period.ts'
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent, PeerState } from '../observe/events.ts'
import type { LearnerSettings, Snapshot } from '../ports/learner.ts'
import type { PeerChange, PeerId } from '../ports/network.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic } from '../wire/protocol.ts'
import type { Adopted } from './adopt.ts'
import { compareLater } from './arrival.ts'
import { type Author, Authors } from './authors.ts'
import { Averaging } from './averaging.ts'
import { Beacons } from './beacons.ts'
import { NO_CLIP, SelfCentredClip } from './clip.ts'
import { Consensus } from './consensus.ts'
import { Donor } from './donor.ts'
import { type EvaluationListener, Evaluations } from './evaluations.ts'
import type { LedgerEntry } from './exchange/ledger.ts'
import type { Mass } from './exchange/mass.ts'
import { ExperienceLane } from './experience.ts'
import { Frames } from './frames.ts'
import { Intake } from './intake.ts'
import { MOST_AUTO_PERIOD_UPDATES } from './limits.ts'
import { Observer } from './observer.ts'
import { OwnMoves } from './own-moves.ts'
import { Redialler } from './redial.ts'
import { Relayed } from './relayed.ts'
import type { PeerPorts, Run } from './run.ts'
import { Snapshots } from './snapshots.ts'
import { Stats } from './stats.ts'
import type { RoundOptions } from './strategies/strategy.ts'
import { Training } from './training.ts'
import { farApart, muted } from './warnings.ts'

export interface PeerOptions {
  readonly incarnation: number
  readonly minPeriodMs: number
  /** Addresses to keep trying: those of the join line and those stored earlier. */
  readonly knownAddresses: readonly string[]
  /** Training holds until this many others are alive. */
  readonly waitForPeers: number
  /** Quotas of authors per address hold for private and loopback addresses, too. */
  readonly strictQuotas?: boolean
  /** Evaluation every so many environment steps of this peer, of the replicas of a learner with these settings; absent: none. */
  readonly evaluation?: { readonly everySteps: number; readonly settings: LearnerSettings } | null
  /** `own` (when absent): rounds come at their own pace. `driven`: only when `round` is called, for lock step. */
  readonly pace?: 'own' | 'driven'
  /** Everybody who takes part, this peer included, sorted: one shared view for lock step. When absent: whoever is alive, as heard. */
  readonly view?: () => readonly PeerId[]
  /** Keeps the deltas of exchanges that never settle, so that `ledger` can be compared with the drift. */
  readonly keepDeltas?: boolean
  /** Follows the swarm: takes over others' snapshots, and neither learns nor averages. */
  readonly observing?: boolean
  /** Whose weights were taken over when joining, and the beacons heard meanwhile. */
  readonly adopted?: Pick<Adopted, 'standing' | 'heard'> | null
  readonly emit: (event: PeerEvent) => void
}

export class Peer {
  readonly run: Run
  readonly authors = new Authors((author) => this.#options.emit(muted(author)))
  readonly #ports: PeerPorts
  readonly #options: PeerOptions
  readonly #snapshots: Snapshots
  readonly #codec: Codec
  readonly #beacons: Beacons
  readonly #relayed: Relayed
  readonly #donor: Donor
  readonly #evaluations: Evaluations | null
  readonly #intake: Intake
  readonly #frames: Frames
  readonly #moves: OwnMoves
  readonly #clip: SelfCentredClip | null
  readonly #averaging: Averaging
  readonly #experience: ExperienceLane | null
  readonly #observer: Observer | null
  readonly #consensus: Consensus
  readonly #training: Training
  readonly #stats: Stats
  readonly #stopping = new AbortController()
  #loops: Promise<unknown>[] = []
  #releases: (() => void)[] = []

  constructor(run: Run, ports: PeerPorts, options: PeerOptions) {
    this.run = run
    this.#ports = ports
    this.#options = options
    const { network, clock, random, workers } = ports
    const { learner, manifest } = run
    this.#training = new Training({
      learner,
      clock,
      observing: options.observing === true,
      isReady: () => this.alive >= options.waitForPeers,
      emit: options.emit,
    })
    this.#stats = new Stats({
      learner,
      clock,
      network,
      peers: () => this.alive,
      consensusDistance: () => this.consensusDistance(),
      emit: options.emit,
    })
    const { slices, moments = [] } = learner.describe()
    const codecModel = { run: run.id, slices: slices.map(({ length }) => length), moments }
    this.#codec = codecNamed(manifest.averaging.codec, codecModel)
    this.#intake = new Intake(network, options.strictQuotas === true)
    this.#snapshots = new Snapshots(learner, clock)
    this.#clip = manifest.averaging.robust === 'none' ? null : new SelfCentredClip((id) => this.#distrust(id))
    const isPlain = isPlainAveraging(manifest.averaging.outer ?? NO_OUTER_STEP)
    this.#moves = new OwnMoves(workers.compute, this.#clip !== null || !isPlain)
    const { period, periodTarget } = manifest.averaging
    this.#consensus = new Consensus({
      levels: consensusLevels(manifest.algorithm.id),
      period,
      target: periodTarget ?? null,
      bounds: { least: 1, most: Math.max(period, MOST_AUTO_PERIOD_UPDATES) },
      onDanger: (relative) => options.emit(farApart(relative)),
    })
    this.#frames = new Frames({
      self: network.id,
      run,
      codec: this.#codec,
      codecModel,
      compute: workers.compute,
      incarnation: options.incarnation,
      snapshots: this.#snapshots,
      authors: this.authors,
      moves: this.#moves,
      now: () => clock.now(),
      intake: this.#intake,
      onHeard: (author) => this.#beacons.setState(author, 'alive'),
      onRefused: (peer, code) => this.#tellRefused(peer, code),
    })
    this.#beacons = new Beacons({
      network,
      clock,
      random,
      learner,
      compute: workers.compute,
      snapshots: this.#snapshots,
      authors: this.authors,
      sketcher: new Sketcher(run.id, run.initial),
      epoch: () => this.#averaging.epoch,
      ownRounds: () => this.#averaging.count,
      topic: beaconTopic(run.id),
      incarnation: options.incarnation,
      observing: options.observing === true,
      onState: (author, state) => this.#onState(author, state),
      onFailure: (error) => this.#loopFailed(error),
      onRefused: (peer, code) => this.#tellRefused(peer, code),
      onPublished: (bytes) => this.#relayed.published(bytes, this.#stopping.signal),
    })
    this.#relayed = new Relayed({
      network,
      clock,
      run,
      authors: this.authors,
      receive: (author, bytes) => void this.#beacons.receive(author, bytes, true),
      warn: (code, message) => options.emit({ event: 'warning', code, message }),
    })
    this.#averaging = new Averaging({
      run,
      ports,
      codec: this.#codec,
      codecModel,
      authors: this.authors,
      frames: this.#frames,
      moves: this.#moves,
      clip: this.#clip ?? NO_CLIP,
      consensus: this.#consensus,
      incarnation: options.incarnation,
      minPeriodMs: options.minPeriodMs,
      keepDeltas: options.keepDeltas === true,
      driven: options.pace === 'driven',
      view: options.view,
      signal: this.#stopping.signal,
      emit: options.emit,
      onFailure: (error) => this.#loopFailed(error),
    })
    this.#observer = options.observing === true ? this.#observe() : null
    const format = learner.describe().experience
    this.#experience =
      format === undefined || this.#observer !== null
        ? null
        : new ExperienceLane({
            network,
            clock,
            random,
            learner,
            format,
            runPrefix: run.prefix,
            incarnation: options.incarnation,
            minPeriodMs: options.minPeriodMs,
            authors: this.authors,
            view: () => this.#averaging.view(),
            admits: (author) => this.#intake.admits(author, clock.now()),
            refuse: (author, code) => this.#frames.refuse(author, code),
            signal: this.#stopping.signal,
          })
    const { evaluation, emit } = options
    this.#evaluations =
      evaluation == null
        ? null
        : new Evaluations({
            learner,
            snapshots: this.#snapshots,
            evaluator: workers.evaluator(evaluation.settings),
            everySteps: evaluation.everySteps,
            seed: evaluation.settings.actorSeed,
            emit,
          })
    this.#donor = new Donor({
      clock,
      compute: workers.compute,
      run,
      snapshots: this.#snapshots,
      order: () => ({ epoch: this.#averaging.epoch, sequence: this.#frames.sequence }),
      emit: (event) => this.#tellServed(event),
    })
  }

  async start(): Promise<void> {
    const { network, clock, random, log } = this.#ports
    const signal = this.#stopping.signal
    network.subscribe(beaconTopic(this.run.id), MAX_BEACON_BYTES, (author, bytes) => this.#beacons.receive(author, bytes))
    this.#relayed.serve()
    if (this.#observer === null) this.#averaging.start()
    this.#donor.serve(network)
    this.#experience?.serve()
    this.#releases.push(network.onPeer((change) => this.#onConnection(change)))
    this.#releases.push(this.#training.watch())
    if (this.#evaluations !== null) this.#releases.push(this.#evaluations.watch())
    for (const { id } of network.peers()) this.#onConnection({ id, state: 'connected' })
    const redialler = new Redialler({ network, clock, random, log, addresses: () => this.addressBook() })
    this.#loops = [this.#beacons.run(signal), redialler.run(signal), this.#stats.run(signal)]
    if (this.#options.pace !== 'driven')
      this.#loops.push(
        ...[this.#averaging.run(signal), this.#experience?.run(), this.#observer?.run(signal)].filter((loop) => loop !== undefined),
      )
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#loopFailed(error))
    this.#moves.begin((await this.#snapshots.take()).parameters)
    this.#arrive()
    await this.#training.begin()
  }

  /** Goes on from what was heard while joining; weights taken over before anybody else was heard are compared with the swarm's a little later. */
  #arrive(): void {
    const { adopted, emit } = this.#options
    if (adopted == null) return
    for (const [author, bytes] of adopted.heard) this.#beacons.receive(author, bytes)
    if (adopted.standing.judged) return
    this.#releases.push(compareLater(adopted.standing, this.run.initial, this.authors, this.#ports.clock, emit))
  }

  /** Idempotent; what it leaves behind is the learner and the network, which their owner stops. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    await this.#beacons.leave().catch(() => undefined)
    this.#stopping.abort()
    for (const release of this.#releases) release()
    await Promise.allSettled(this.#loops)
  }

  /** It is kept out from now on: what it sent is dropped. */
  shutOut(id: PeerId): void {
    const author = this.authors.get(id)
    if (author === undefined) return
    author.pending = null
    author.normalisers = null
    this.#beacons.setState(author, 'banned')
  }

  /** Hears of every evaluation, with the replica that it was made of; the returned function unsubscribes. */
  onEvaluated(listener: EvaluationListener): () => void {
    return this.#evaluations?.onEvaluated(listener) ?? (() => undefined)
  }

  /** Resolves once no evaluation is under way or due. */
  async evaluated(): Promise<void> {
    await this.#evaluations?.settled()
  }

  /**
   * Exactly one round, now (with `pace: 'driven'` only): resolves when it is over, at once where the strategy has no rounds or nobody else is
   * there; rejects when the round fails.
   */
  async round(options: RoundOptions = {}): Promise<void> {
    if (this.#options.pace !== 'driven') {
      throw new GrapevineError(
        'not_driven',
        'local',
        'This peer makes its rounds at its own pace; start it with pace: driven to drive them.',
      )
    }
    await this.#averaging.once(options)
  }

  /** Updates between two exchanges of experience, which somebody else makes with `pace: 'driven'`; null: none is shared. */
  get experiencePeriod(): number | null {
    return this.#experience?.period ?? null
  }

  /** Experience for others, as of now. */
  async offerExperience(): Promise<void> {
    await this.#experience?.offer()
  }

  /** Takes what some others offer. */
  async pullExperience(): Promise<void> {
    await this.#experience?.pull()
  }

  /** Exchanges that are not settled, or never were; empty with strategies that have none. */
  ledger(): readonly LedgerEntry[] {
    return this.#averaging.ledger()
  }

  /** Where push-sum's weight is; null with other strategies. */
  mass(): Mass | null {
    return this.#averaging.mass()
  }

  /** Others that learn and average. */
  get alive(): number {
    return this.authors.partners().length
  }

  get observing(): boolean {
    return this.#observer !== null
  }

  /** Nobody of the run is reached but through relays. */
  get relayedOnly(): boolean {
    return this.#relayed.isAlone
  }

  get paused(): boolean {
    return this.#training.paused
  }

  /** Learning holds at the next update boundary; averaging goes on. */
  pause(): Promise<void> {
    return this.#training.pause()
  }

  resume(): Promise<void> {
    return this.#training.resume()
  }

  /** How the policy stands, at most `maxAgeMs` old; the arrays are read only. */
  recentSnapshot(maxAgeMs: number): Promise<Snapshot> {
    return this.#snapshots.recent(maxAgeMs)
  }

  get stepsPerSecond(): number | null {
    return this.#stats.stepsPerSecond
  }

  consensusDistance(): number | null {
    return this.#beacons.consensusDistance()
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#averaging.counters(),
      ...this.#observer?.counters(),
      clipped: this.#clip?.clipped ?? 0,
      period: this.#consensus.period,
      framesDropped: this.authors.dropped,
      messagesLate: this.authors.late,
      snapshotsServed: this.#donor.served,
      ...this.#experience?.counters(),
      ...this.#ports.network.counters(),
      ...prefixed('refused_', this.authors.refused()),
      ...prefixed('refused_network_', this.#ports.network.refusals?.() ?? {}),
    }
  }

  #observe(): Observer {
    const { network, clock, random, log, workers } = this.#ports
    return new Observer({
      run: this.run,
      network,
      clock,
      random,
      log,
      compute: workers.compute,
      authors: this.authors,
      snapshots: this.#snapshots,
      emit: this.#options.emit,
    })
  }

  /** Whoever watches asks again and again: that it was given the weights is told once. */
  #tellServed(event: PeerEvent): void {
    if (event.event !== 'served') return
    const author = this.authors.get(event.peer)
    const again = author?.served === true && author.beacon?.observing === true
    if (author !== undefined) author.served = true
    if (!again) this.#options.emit(event)
  }

  #tellRefused(peer: PeerId, code: string): void {
    if (this.#intake.tells(this.#ports.clock.now())) this.#options.emit({ event: 'refused', peer, code })
  }

  #onConnection(change: PeerChange): void {
    const known = this.authors.get(change.id)
    if (change.state === 'disconnected') {
      this.#donor.forget(change.id)
      // It never took part: a look at the manifest, a failed join. One that did may still be heard through others.
      if (known?.state !== 'connecting') return
      known.state = 'left'
      this.#onState(known, 'left')
      return
    }
    if (known === undefined || known.state !== 'alive') {
      const author = this.authors.hear(change.id, this.#ports.clock.now())
      author.state = 'connecting'
      this.#options.emit({ event: 'peer', id: change.id, state: 'connecting' })
    }
    this.#beacons.greet()
  }

  #distrust(id: PeerId): void {
    const author = this.authors.get(id)
    if (author !== undefined) this.authors.refuse(author, 'far', this.#ports.clock.now())
  }

  #onState(author: Author, state: PeerState): void {
    this.#options.emit({ event: 'peer', id: author.id, state })
    // A learner that is over has said so itself.
    if (state === 'alive') this.#training.begin().catch(() => undefined)
  }

  /** Addresses worth dialling: those that authors announce, then those we were given. */
  addressBook(): readonly string[] {
    return [...new Set([...this.authors.announced(), ...this.#options.knownAddresses])]
  }

  #loopFailed(error: unknown): void {
    if (this.#stopping.signal.aborted) return
    const message = messageOf(error)
    this.#ports.log.error('part of the averaging failed; learning goes on', { message })
    this.#options.emit({ event: 'warning', code: 'averaging_failed', message })
  }
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([code, count]) => [prefix + code, count]))
}
