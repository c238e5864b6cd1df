/**
 * One peer: a replica that learns, hears others, and averages with them. All it needs of the world comes through ports, so the same code
 * runs in the daemon and, on virtual time, in the simulator.
 *
 * Life: `start` announces the peer and begins to learn; `stop` says goodbye and ends every loop. Nothing here waits for another peer
 * before learning goes on.
 */
import type { PeerEvent } from '../observe/events.ts'
import type { LearnerSettings, Snapshot } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import type { Adopted } from './adopt.ts'
import { compareLater } from './arrival.ts'
import type { Authors } from './authors.ts'
import { Averaging } from './averaging.ts'
import { Donor } from './donor.ts'
import { type EvaluationListener, Evaluations } from './evaluations.ts'
import type { LedgerEntry } from './exchange/ledger.ts'
import type { Mass } from './exchange/mass.ts'
import { ExperienceLane } from './experience.ts'
import { Intake } from './intake.ts'
import { Membership } from './membership.ts'
import { Observer } from './observer.ts'
import type { PeerPorts, Run } from './run.ts'
import { Snapshots } from './snapshots.ts'
import { Stats } from './stats.ts'
import type { RoundOptions } from './strategies/strategy.ts'
import { Training } from './training.ts'

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
  /** Another peer, which began later, speaks with the identity of this one: this one is not heard any more. May be called again. */
  readonly onUsurped?: () => void
  readonly emit: (event: PeerEvent) => void
}

export class Peer {
  readonly run: Run
  readonly #ports: PeerPorts
  readonly #options: PeerOptions
  readonly #snapshots: Snapshots
  readonly #intake: Intake
  readonly #membership: Membership
  readonly #averaging: Averaging
  readonly #experience: ExperienceLane | null
  readonly #observer: Observer | null
  readonly #donor: Donor
  readonly #evaluations: Evaluations | null
  readonly #training: Training
  readonly #stats: Stats
  readonly #stopping = new AbortController()
  #loops: Promise<unknown>[] = []
  #releases: (() => void)[] = []

  constructor(run: Run, ports: PeerPorts, options: PeerOptions) {
    this.run = run
    this.#ports = ports
    this.#options = options
    const { network, clock, random, log, workers } = ports
    const { learner } = run
    const { incarnation, minPeriodMs, evaluation, emit } = options
    const { signal } = this.#stopping
    const observing = options.observing === true
    const onRefused = (peer: PeerId, code: string) => this.#tellRefused(peer, code)
    const onFailure = (error: unknown) => this.#loopFailed(error)
    this.#snapshots = new Snapshots(learner, clock)
    const snapshots = this.#snapshots
    this.#intake = new Intake(network, { strict: options.strictQuotas === true, inTime: options.pace !== 'driven' })
    this.#membership = new Membership({
      run,
      ports,
      snapshots,
      incarnation,
      observing,
      knownAddresses: options.knownAddresses,
      epoch: () => this.#averaging.epoch,
      ownRounds: () => this.#averaging.count,
      signal,
      emit,
      // A learner that is over has said so itself.
      onAlive: () => void this.#training.begin().catch(() => undefined),
      onDisconnected: (peer) => this.#donor.forget(peer),
      onUsurped: () => options.onUsurped?.(),
      onRefused,
      onFailure,
    })
    const { authors } = this.#membership
    this.#averaging = new Averaging({
      run,
      ports,
      snapshots,
      authors,
      intake: this.#intake,
      incarnation,
      minPeriodMs,
      keepDeltas: options.keepDeltas === true,
      driven: options.pace === 'driven',
      view: options.view,
      signal,
      emit,
      onHeard: (author) => this.#membership.met(author),
      onRefused,
      onFailure,
    })
    this.#training = new Training({ learner, clock, observing, isReady: () => this.alive >= options.waitForPeers, emit })
    this.#observer = observing
      ? new Observer({ run, network, clock, random, log, compute: workers.compute, authors, snapshots, emit })
      : null
    const format = learner.describe().experience
    this.#experience =
      format === undefined || observing
        ? null
        : new ExperienceLane({
            network,
            clock,
            random,
            learner,
            format,
            runPrefix: run.prefix,
            incarnation,
            minPeriodMs,
            authors,
            view: () => this.#averaging.view(),
            admits: (author) => this.#intake.admits(author, clock.now()),
            refuse: (author, code) => this.#averaging.refuse(author, code),
            signal,
          })
    this.#donor = new Donor({
      clock,
      compute: workers.compute,
      run,
      snapshots,
      authors,
      order: () => ({ epoch: this.#averaging.epoch, sequence: this.#averaging.sequence }),
      emit,
    })
    this.#evaluations =
      evaluation == null
        ? null
        : new Evaluations({
            learner,
            snapshots,
            evaluator: workers.evaluator(evaluation.settings),
            everySteps: evaluation.everySteps,
            seed: evaluation.settings.actorSeed,
            emit,
          })
    this.#stats = new Stats({
      learner,
      clock,
      network,
      peers: () => this.alive,
      consensusDistance: () => this.consensusDistance(),
      emit,
    })
  }

  async start(): Promise<void> {
    const { signal } = this.#stopping
    const driven = this.#options.pace === 'driven'
    if (this.#observer === null) this.#averaging.start()
    this.#donor.serve(this.#ports.network)
    this.#experience?.serve()
    this.#releases = [this.#membership.watch(), this.#training.watch()]
    if (this.#evaluations !== null) this.#releases.push(this.#evaluations.watch())
    this.#loops = [...this.#membership.run(), this.#stats.run(signal)]
    if (!driven) this.#loops.push(this.#averaging.run(signal))
    if (!driven && this.#experience !== null) this.#loops.push(this.#experience.run())
    if (!driven && this.#observer !== null) this.#loops.push(this.#observer.run(signal))
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#loopFailed(error))
    this.#averaging.begin((await this.#snapshots.take()).parameters)
    this.#arrive()
    await this.#training.begin()
  }

  /** Goes on from what was heard while joining; weights taken over before anybody else was heard are compared with the swarm's a little later. */
  #arrive(): void {
    const { adopted, emit } = this.#options
    if (adopted == null) return
    for (const [author, bytes] of adopted.heard) this.#membership.hear(author, bytes)
    if (adopted.standing.judged) return
    this.#releases.push(compareLater(adopted.standing, this.run.initial, this.authors, this.#ports.clock, emit))
  }

  /** Idempotent; what it leaves behind is the learner and the network, which their owner stops. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    await this.#membership.leave().catch(() => undefined)
    this.#stopping.abort()
    for (const release of this.#releases) release()
    await Promise.allSettled(this.#loops)
  }

  /** It is kept out from now on: what it sent is dropped. */
  shutOut(id: PeerId): void {
    this.#membership.shutOut(id)
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

  get authors(): Authors {
    return this.#membership.authors
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
    return this.#membership.relayedOnly
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
    return this.#membership.consensusDistance()
  }

  /** Addresses worth dialling: those that authors announce, then those we were given. */
  addressBook(): readonly string[] {
    return this.#membership.addressBook()
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#averaging.counters(),
      ...this.#observer?.counters(),
      framesDropped: this.authors.dropped,
      messagesLate: this.authors.late,
      snapshotsServed: this.#donor.served,
      ...this.#experience?.counters(),
      ...this.#ports.network.counters(),
      ...prefixed('refused_', this.authors.refused()),
      ...prefixed('refused_network_', this.#ports.network.refusals?.() ?? {}),
    }
  }

  #tellRefused(peer: PeerId, code: string): void {
    if (this.#intake.tells(this.#ports.clock.now())) this.#options.emit({ event: 'refused', peer, code })
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
