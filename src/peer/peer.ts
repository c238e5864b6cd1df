/**
 * One peer: a replica that learns, hears others, and averages with them. All it needs of the world comes through ports, so the same code
 * runs in the daemon and, on virtual time, in the simulator.
 *
 * Life: `start` announces the peer and begins to learn; `stop` says goodbye and ends every loop. Nothing here waits for another peer
 * before learning goes on.
 */
import { type Codec, codecNamed } from '../average/codecs.ts'
import { robustRule } from '../average/combine.ts'
import { isPlainAveraging, NO_OUTER_STEP } from '../average/outer.ts'
import { isMutual, PAIR_RULES, partnerBy } from '../average/partners.ts'
import { consensusLevels } from '../average/period.ts'
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent, PeerState } from '../observe/events.ts'
import type { LearnerSettings, Progress, Snapshot } from '../ports/learner.ts'
import type { PeerChange, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic } from '../wire/protocol.ts'
import type { Adopted } from './adopt.ts'
import { type Author, Authors } from './authors.ts'
import { Beacons } from './beacons.ts'
import { NO_CLIP, SelfCentredClip } from './clip.ts'
import { Consensus } from './consensus.ts'
import { Donor } from './donor.ts'
import { type EvaluationListener, Evaluations } from './evaluations.ts'
import type { LedgerEntry } from './exchange/ledger.ts'
import type { Mass } from './exchange/mass.ts'
import { ExperienceLane } from './experience.ts'
import { Frames } from './frames.ts'
import { FAR_DONOR, farDonor, judgeStanding } from './hearsay.ts'
import { Intake } from './intake.ts'
import { ARRIVAL_CHECK_MS, MAX_ADDRESSES_PER_AUTHOR, MOST_AUTO_PERIOD_UPDATES, STATS_PERIOD_MS } from './limits.ts'
import { Mixing } from './mixing.ts'
import { Observer } from './observer.ts'
import { OwnMoves } from './own-moves.ts'
import { Rate } from './rate.ts'
import { Redialler } from './redial.ts'
import { Relayed } from './relayed.ts'
import { Rounds } from './rounds.ts'
import type { PeerPorts, Run } from './run.ts'
import { Snapshots } from './snapshots.ts'
import type { RoundOptions, RunningStrategy } from './strategies/strategy.ts'
import { strategyNamed } from './strategies.ts'

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
  readonly authors = new Authors((author) => this.#onMuted(author))
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
  readonly #experience: ExperienceLane | null
  readonly #observer: Observer | null
  readonly #consensus: Consensus
  readonly #stopping = new AbortController()
  #strategy: RunningStrategy | null = null
  #rounds: Rounds | null = null
  #loops: Promise<unknown>[] = []
  #releases: (() => void)[] = []
  #startedAtMs = 0
  #solvedReported = false
  #training = false
  #paused = false
  #lastStats: { atMs: number; steps: number } | null = null
  #stepsPerSecond: number | null = null

  constructor(run: Run, ports: PeerPorts, options: PeerOptions) {
    this.run = run
    this.#ports = ports
    this.#options = options
    const { network, clock, random, workers } = ports
    const { learner, manifest } = run
    // One that goes on from a checkpoint has said so in an earlier life.
    this.#solvedReported = learner.progress().solved !== null
    const codecModel = { run: run.id, slices: learner.describe().slices.map(({ length }) => length) }
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
      onDanger: (relative) => this.#inDanger(relative),
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
      epoch: () => this.#rounds?.epoch ?? 0,
      ownRounds: () => this.#rounds?.count ?? 0,
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
            view: () => this.#view(),
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
      order: () => ({ epoch: this.#rounds?.epoch ?? 0, sequence: this.#frames.sequence }),
      emit: (event) => this.#tellServed(event),
    })
  }

  async start(): Promise<void> {
    const { network, clock, random, log } = this.#ports
    const { learner } = this.run
    const signal = this.#stopping.signal
    this.#startedAtMs = clock.now()
    network.subscribe(beaconTopic(this.run.id), MAX_BEACON_BYTES, (author, bytes) => this.#beacons.receive(author, bytes))
    this.#relayed.serve()
    if (this.#observer === null) this.#startStrategy()
    this.#donor.serve(network)
    this.#experience?.serve()
    this.#releases.push(network.onPeer((change) => this.#onConnection(change)))
    this.#releases.push(learner.onProgress((progress) => this.#onProgress(progress)))
    if (this.#evaluations !== null) this.#releases.push(this.#evaluations.watch())
    for (const { id } of network.peers()) this.#onConnection({ id, state: 'connected' })
    const redialler = new Redialler({ network, clock, random, log, addresses: () => this.addressBook() })
    this.#loops = [this.#beacons.run(signal), redialler.run(signal), this.#statsLoop(signal)]
    if (this.#options.pace !== 'driven')
      this.#loops.push(
        ...[this.#rounds?.run(signal), this.#experience?.run(), this.#observer?.run(signal)].filter((loop) => loop !== undefined),
      )
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#loopFailed(error))
    this.#moves.begin((await this.#snapshots.take()).parameters)
    this.#arrive()
    await this.#trainWhenReady()
  }

  /** Goes on from what was heard while joining; weights taken over before anybody else was heard are compared with the swarm's a little later. */
  #arrive(): void {
    const { adopted, emit } = this.#options
    if (adopted == null) return
    for (const [author, bytes] of adopted.heard) this.#beacons.receive(author, bytes)
    const { standing } = adopted
    if (standing.judged) return
    const compare = () => {
      const beacons = new Map(this.authors.alive().flatMap(({ id, beacon }) => (beacon === null ? [] : [[id, beacon] as const])))
      if (judgeStanding(standing, beacons, this.run.initial) !== 'far') return
      const message = farDonor(standing.from, 'taken before others were heard; to be safe, stop and join through another one')
      emit({ event: 'warning', code: FAR_DONOR, message })
    }
    this.#releases.push(this.#ports.clock.after(ARRIVAL_CHECK_MS, compare))
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
    await this.#rounds?.once(options)
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
    return this.#strategy?.ledger?.() ?? []
  }

  /** Where push-sum's weight is; null with other strategies. */
  mass(): Mass | null {
    return this.#strategy?.mass?.() ?? null
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
    return this.#paused
  }

  /** Learning holds at the next update boundary; averaging goes on. */
  async pause(): Promise<void> {
    this.#paused = true
    await this.run.learner.hold()
  }

  async resume(): Promise<void> {
    this.#paused = false
    if (this.#training && !this.observing) await this.run.learner.run()
    else await this.#trainWhenReady()
  }

  /** How the policy stands, at most `maxAgeMs` old; the arrays are read only. */
  recentSnapshot(maxAgeMs: number): Promise<Snapshot> {
    return this.#snapshots.recent(maxAgeMs)
  }

  get stepsPerSecond(): number | null {
    return this.#stepsPerSecond
  }

  consensusDistance(): number | null {
    return this.#beacons.consensusDistance()
  }

  counters(): Readonly<Record<string, number>> {
    const refused: Record<string, number> = {}
    for (const author of this.authors.values()) {
      for (const [code, count] of author.refusals) refused[`refused_${code}`] = (refused[`refused_${code}`] ?? 0) + count
    }
    return {
      rounds: this.#rounds?.count ?? 0,
      roundsFailed: this.#rounds?.failed ?? 0,
      ...this.#strategy?.counters(),
      ...this.#observer?.counters(),
      clipped: this.#clip?.clipped ?? 0,
      period: this.#consensus.period,
      framesDropped: this.authors.dropped,
      messagesLate: this.authors.late,
      snapshotsServed: this.#donor.served,
      ...this.#experience?.counters(),
      ...this.#ports.network.counters(),
      ...refused,
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

  #startStrategy(): void {
    const { network, clock, random, workers } = this.#ports
    const { manifest, learner } = this.run
    const { incarnation, minPeriodMs, keepDeltas, pace, emit } = this.#options
    const strategy = strategyNamed(manifest.averaging.strategy)
    const rate = new Rate({
      rule: manifest.averaging.rate ?? null,
      learner,
      rounds: () => this.#rounds?.count ?? 0,
      isThere: (id) => this.#isThere(id),
      together: () => this.#consensus.together,
    })
    const mixing = new Mixing({
      strategy: strategy.name,
      clock,
      learner,
      authors: this.authors,
      moves: this.#moves,
      compute: workers.compute,
      outer: manifest.averaging.outer ?? NO_OUTER_STEP,
      consensus: this.#consensus,
      rate,
      peers: () => this.#view().length,
      emit,
    })
    const epoch = () => this.#rounds?.epoch ?? 0
    this.#strategy = strategy.start({
      network,
      clock,
      random,
      compute: workers.compute,
      learner,
      authors: this.authors,
      run: this.run,
      codec: this.#codec,
      incarnation,
      signal: this.#stopping.signal,
      clip: this.#clip ?? NO_CLIP,
      robust: robustRule(manifest.averaging.robust),
      rule: manifest.averaging.partner,
      keepDeltas: keepDeltas === true,
      view: () => this.#view(),
      epoch,
      partner: () => this.#partner(),
      ownFrame: (drawn) => this.#frames.take(drawn ?? epoch()),
      receive: (author, bytes) => this.#frames.receive(author, bytes),
      verify: (author, bytes, how) => this.#frames.verify(author, bytes, how),
      refuse: (author, code) => this.#frames.refuse(author, code),
      apply: (delta, own, mixed) => mixing.apply(delta, own.snapshot, mixed),
      onFailure: (error) => this.#loopFailed(error),
    })
    if (this.#strategy === null) return
    this.#rounds = new Rounds({
      strategy: this.#strategy,
      clock,
      learner,
      period: () => this.#consensus.period,
      minPeriodMs,
      inCompany: () => this.#view().length > 1,
      onAlone: () => rate.mixed([]),
      ahead: () => (pace === 'driven' ? [] : this.authors.partners().flatMap((author) => author.ahead ?? [])),
      onFailure: (error) => this.#loopFailed(error),
    })
  }

  #partner(): { readonly id: PeerId; readonly mutual: boolean } | null {
    const { network, random } = this.#ports
    const rule = PAIR_RULES.find((name) => name === this.run.manifest.averaging.partner) ?? 'random'
    const view = this.#view()
    const id = partnerBy(rule, { self: network.id, view, run: this.run.id, epoch: this.#rounds?.epoch ?? 0, random })
    return id === null ? null : { id, mutual: isMutual(rule, view, network.id) }
  }

  #view(): readonly PeerId[] {
    const reached = this.authors.partners().filter(({ id }) => !this.#relayed.has(id))
    return this.#options.view?.() ?? [this.#ports.network.id, ...reached.map(({ id }) => id)].sort()
  }

  #isThere(id: PeerId): boolean {
    const author = this.authors.get(id)
    return author !== undefined && ['connecting', 'alive'].includes(author.state) && !this.authors.isMuted(author, this.#ports.clock.now())
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

  #inDanger(relative: number): void {
    const message = `The swarm's replicas are ${relative.toFixed(2)} of their size apart, farther than learning is known to bear: averaging more often (--period, or --period auto) would help.`
    this.#options.emit({ event: 'warning', code: 'far_apart', message })
  }

  #onMuted({ id, refusals, trust }: Author): void {
    const causes = [...refusals].map(([code, count]) => `${code} ${count}`).join(', ')
    const message = `Peer ${id} is not listened to for a while: too much of what it sent was refused (${causes}; trust ${trust.score.toFixed(2)}).`
    this.#options.emit({ event: 'warning', code: 'muted', message })
  }

  #onState(author: Author, state: PeerState): void {
    this.#options.emit({ event: 'peer', id: author.id, state })
    // A learner that is over has said so itself.
    if (state === 'alive') this.#trainWhenReady().catch(() => undefined)
  }

  async #trainWhenReady(): Promise<void> {
    if (this.observing || this.#training || this.#paused || this.alive < this.#options.waitForPeers) return
    this.#training = true
    this.#startedAtMs = this.#ports.clock.now()
    await this.run.learner.run()
  }

  #onProgress(progress: Progress): void {
    if (progress.solved === null || this.#solvedReported) return
    this.#solvedReported = true
    const seconds = (this.#ports.clock.now() - this.#startedAtMs) / 1_000
    this.#options.emit({ event: 'solved', steps: progress.solved.steps, seconds, returnMean: progress.solved.returnMean })
  }

  /** Addresses worth dialling: those that authors announce, then those we were given. */
  addressBook(): readonly string[] {
    const announced = this.authors
      .values()
      .filter((author) => author.state !== 'left' && author.state !== 'banned' && author.beacon !== null)
      .flatMap((author) => author.beacon!.addresses.slice(0, MAX_ADDRESSES_PER_AUTHOR))
    return [...new Set([...announced, ...this.#options.knownAddresses])]
  }

  async #statsLoop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports
    while (!signal.aborted) {
      await clock.sleep(STATS_PERIOD_MS, signal).catch(() => undefined)
      if (!signal.aborted) this.#emitStats()
    }
  }

  #emitStats(): void {
    const progress = this.run.learner.progress()
    const atMs = this.#ports.clock.now()
    const last = this.#lastStats
    if (last !== null && atMs > last.atMs) this.#stepsPerSecond = Math.round(((progress.steps - last.steps) / (atMs - last.atMs)) * 1_000)
    this.#lastStats = { atMs, steps: progress.steps }
    this.#options.emit({
      event: 'stats',
      steps: progress.steps,
      updates: progress.updates,
      stepsPerSecond: this.#stepsPerSecond,
      returnMean: progress.returnMean,
      episodes: progress.episodes,
      peers: this.alive,
      consensusDistance: this.consensusDistance(),
      ...this.#ports.network.counters(),
    })
  }

  #loopFailed(error: unknown): void {
    if (this.#stopping.signal.aborted) return
    const message = error instanceof Error ? error.message : String(error)
    this.#ports.log.error('part of the averaging failed; learning goes on', { message })
    this.#options.emit({ event: 'warning', code: 'averaging_failed', message })
  }
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([code, count]) => [prefix + code, count]))
}
