/**
 * One peer: a replica that learns, hears others, and averages with them. All it needs of the world comes through ports, so the same code
 * runs in the daemon and, on virtual time, in the simulator.
 *
 * Life: `start` announces the peer and begins to learn; `stop` says goodbye and ends every loop. Nothing here waits for another peer
 * before learning goes on.
 */
import { type Codec, codecNamed } from '../average/codecs.ts'
import { sumOfSquares } from '../average/distance.ts'
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent, PeerState } from '../observe/events.ts'
import type { LearnerSettings, Progress, Snapshot } from '../ports/learner.ts'
import type { PeerChange, PeerId, Verdict } from '../ports/network.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic, parameterTopic } from '../wire/protocol.ts'
import { type Author, Authors } from './authors.ts'
import { Beacons } from './beacons.ts'
import { Donor } from './donor.ts'
import { type EvaluationListener, Evaluations } from './evaluations.ts'
import { judgeFrame } from './gate.ts'
import { Intake } from './intake.ts'
import { MAX_ADDRESSES_PER_AUTHOR, STATS_PERIOD_MS } from './limits.ts'
import { Redialler } from './redial.ts'
import { Rounds } from './rounds.ts'
import type { PeerPorts, Run } from './run.ts'
import { Snapshots } from './snapshots.ts'

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
  readonly emit: (event: PeerEvent) => void
}

export class Peer {
  readonly run: Run
  readonly authors = new Authors()
  readonly #ports: PeerPorts
  readonly #options: PeerOptions
  readonly #snapshots: Snapshots
  readonly #codec: Codec
  readonly #beacons: Beacons
  readonly #donor: Donor
  readonly #rounds: Rounds | null
  readonly #evaluations: Evaluations | null
  readonly #intake: Intake
  readonly #runPrefix: Uint8Array
  readonly #stopping = new AbortController()
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
    this.#runPrefix = run.prefix
    this.#codec = codecNamed(manifest.averaging.codec, { run: run.id, slices: learner.describe().slices.map(({ length }) => length) })
    this.#intake = new Intake(network, options.strictQuotas === true)
    this.#snapshots = new Snapshots(learner, clock)
    this.#rounds =
      manifest.averaging.strategy === 'broadcast'
        ? new Rounds({
            network,
            clock,
            learner,
            snapshots: this.#snapshots,
            authors: this.authors,
            codec: this.#codec,
            topic: parameterTopic(run.id),
            runPrefix: run.prefix,
            incarnation: options.incarnation,
            period: manifest.averaging.period,
            minPeriodMs: options.minPeriodMs,
            emit: options.emit,
            onFailure: (error) => this.#loopFailed(error),
          })
        : null
    this.#beacons = new Beacons({
      network,
      clock,
      random,
      learner,
      compute: workers.compute,
      snapshots: this.#snapshots,
      authors: this.authors,
      sketcher: new Sketcher(run.id, run.initial),
      rounds: () => this.#rounds,
      topic: beaconTopic(run.id),
      incarnation: options.incarnation,
      onState: (author, state) => this.#onState(author, state),
      onFailure: (error) => this.#loopFailed(error),
      onRefused: (peer, code) => this.#tellRefused(peer, code),
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
    this.#donor = new Donor({ clock, compute: workers.compute, run, snapshots: this.#snapshots, rounds: this.#rounds, emit: options.emit })
  }

  async start(): Promise<void> {
    const { network, clock, random, log } = this.#ports
    const { learner } = this.run
    const signal = this.#stopping.signal
    this.#startedAtMs = clock.now()
    network.subscribe(beaconTopic(this.run.id), MAX_BEACON_BYTES, (author, bytes) => this.#beacons.receive(author, bytes))
    if (this.#rounds !== null) {
      const frameBytes = encodedFrameBytes(this.#codec.bytesFor(this.run.parameterCount), this.run.normaliserSizes)
      network.subscribe(parameterTopic(this.run.id), frameBytes, (author, bytes) => this.#receiveFrame(author, bytes))
    }
    this.#donor.serve(network)
    this.#releases.push(network.onPeer((change) => this.#onConnection(change)))
    this.#releases.push(learner.onProgress((progress) => this.#onProgress(progress)))
    if (this.#evaluations !== null) this.#releases.push(this.#evaluations.watch())
    for (const { id } of network.peers()) this.#onConnection({ id, state: 'connected' })
    const redialler = new Redialler({ network, clock, random, log, addresses: () => this.addressBook() })
    this.#loops = [this.#beacons.run(signal), redialler.run(signal), this.#statsLoop(signal)]
    if (this.#rounds !== null) this.#loops.push(this.#rounds.run(signal))
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#loopFailed(error))
    await this.#trainWhenReady()
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

  get alive(): number {
    return this.authors.alive().length
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
    if (this.#training) await this.run.learner.run()
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
      rounds: this.#rounds?.epoch ?? 0,
      published: this.#rounds?.sequence ?? 0,
      undelivered: this.#rounds?.undelivered ?? 0,
      roundsFailed: this.#rounds?.failed ?? 0,
      framesDropped: this.authors.dropped,
      messagesLate: this.authors.late,
      snapshotsServed: this.#donor.served,
      ...this.#ports.network.counters(),
      ...refused,
      ...prefixed('refused_network_', this.#ports.network.refusals?.() ?? {}),
    }
  }

  #receiveFrame(id: PeerId, bytes: Uint8Array): Verdict {
    const { network, clock } = this.#ports
    if (id === network.id) return 'ignore'
    const author = this.authors.hear(id, clock.now())
    const over = this.#intake.overRate(id, bytes.length, clock.now())
    if (over !== null) return this.#refuseFrame(author, 'rate_limited', over)
    const own = this.#snapshots.latest?.parameters ?? this.run.initial
    const result = judgeFrame(id, bytes, {
      runPrefix: this.#runPrefix,
      codec: this.#codec,
      parameterCount: this.run.parameterCount,
      normaliserSizes: this.run.normaliserSizes,
      last: author.frame,
      ownNorm: Math.sqrt(sumOfSquares(own)),
    })
    if (!result.ok && result.code === 'late') {
      this.authors.late++
      return 'ignore'
    }
    if (!result.ok) {
      return this.#refuseFrame(author, result.code, result.hostile ? 'reject' : 'ignore')
    }
    const { beacon } = author
    if (beacon?.leaving && result.frame.incarnation <= beacon.incarnation) {
      this.authors.late++
      return 'ignore'
    }
    if (!this.#intake.admits(id, clock.now())) return this.#refuseFrame(author, 'quota', 'ignore')
    author.frame = { incarnation: result.frame.incarnation, sequence: result.frame.sequence }
    this.authors.hold(author, {
      parameters: result.parameters,
      normalisers: result.frame.normalisers,
      version: result.frame.version,
      bytes: bytes.length,
      receivedAtMs: clock.now(),
    })
    // Whose frame is heard is there, also when its first beacon is still on its way.
    this.#beacons.setState(author, 'alive')
    return 'accept'
  }

  #refuseFrame(author: Author, code: string, verdict: Verdict): Verdict {
    this.authors.refuse(author, code)
    this.#tellRefused(author.id, code)
    return verdict
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

  #onState(author: Author, state: PeerState): void {
    this.#options.emit({ event: 'peer', id: author.id, state })
    // A learner that is over has said so itself.
    if (state === 'alive') this.#trainWhenReady().catch(() => undefined)
  }

  async #trainWhenReady(): Promise<void> {
    if (this.#training || this.#paused || this.alive < this.#options.waitForPeers) return
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
