/**
 * Following a run without learning, whatever its strategy: every OBSERVE_PERIOD_MS the observer takes over the snapshot of one peer that
 * takes part, chosen at random, as a joiner does: downloaded, verified, compared with what the beacons of all others say. So it never
 * publishes parameters, never exchanges any, and nobody's replica moves because of it; to donors it is a download now and then. Its beacons say that
 * it observes, and who averages passes it over.
 *
 * What fails is counted, and the next peer is asked; a pause of averaging elsewhere only leaves the replica as old as it is.
 */
import { distancePass } from '../average/passes.ts'
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Network } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { Compute } from '../ports/workers.ts'
import { follow } from '../util/abort.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { decodeReplica } from '../wire/replica.ts'
import { maxBodyBytes } from './adopt.ts'
import type { Author, Authors } from './authors.ts'
import { downloadBody, requestOffer } from './download.ts'
import { judgeStanding } from './hearsay.ts'
import { JOIN_TIMEOUT_MS, OBSERVE_PERIOD_MS, OBSERVE_REST } from './limits.ts'
import type { Run } from './run.ts'
import type { Snapshots } from './snapshots.ts'

/** What its `mix` events name as strategy. */
const OBSERVING = 'observe'

export interface ObserverOptions {
  readonly run: Run
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly compute: Compute
  readonly authors: Authors
  readonly snapshots: Snapshots
  readonly emit: (event: PeerEvent) => void
}

export class Observer {
  readonly #options: ObserverOptions
  readonly #sketcher: Sketcher
  readonly #counts = { snapshotsFollowed: 0, snapshotsFailed: 0, snapshotsFar: 0 }

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#sketcher = new Sketcher(options.run.id, options.run.initial)
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counts
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      const startedAtMs = clock.now()
      await this.#followOne(signal)
      const tookMs = clock.now() - startedAtMs
      await clock.sleep(Math.max(OBSERVE_PERIOD_MS - tookMs, OBSERVE_REST * tookMs), signal).catch(() => undefined)
    }
  }

  /** The first that gives a snapshot which stands where the others say that the swarm is. */
  async #followOne(signal: AbortSignal): Promise<void> {
    for (const author of this.#inRandomOrder()) {
      if (signal.aborted) return
      try {
        if (await this.#take(author, signal)) return
      } catch (error) {
        if (signal.aborted) return
        this.#counts.snapshotsFailed++
        this.#options.log.info('a snapshot could not be followed', { peer: author.id, reason: messageOf(error) })
      }
    }
  }

  #inRandomOrder(): readonly Author[] {
    const { authors, clock, network, random } = this.#options
    const connected = new Set(network.peers().map(({ id }) => id))
    const order = authors.partners().filter((author) => connected.has(author.id) && !authors.isMuted(author, clock.now()))
    return order
      .map((author) => ({ author, at: random.uniform() }))
      .sort((a, b) => a.at - b.at)
      .map(({ author }) => author)
  }

  /** Resolves with whether it was taken over; one that stands far from the swarm is not. */
  async #take(author: Author, signal: AbortSignal): Promise<boolean> {
    const { run, network, clock, compute, authors, snapshots, emit } = this.#options
    const overdue = new AbortController()
    const cancel = clock.after(JOIN_TIMEOUT_MS, () => overdue.abort(new GrapevineError('timeout', 'peer', 'It took too long.')))
    const unlink = follow(signal, overdue)
    try {
      const ports = { network, clock }
      const offer = await requestOffer(ports, author.id, maxBodyBytes(run), overdue.signal)
      const offeredAtMs = clock.now()
      const body = await downloadBody(ports, author.id, offer, overdue.signal)
      const replica = decodeReplica(body, run.parameterCount)
      const { parameters, version } = replica
      if (!equalBytes(await compute.digest(parameters), offer.parameterDigest)) {
        throw new GrapevineError('bad_digest', 'peer', `Peer ${author.id} sent parameters that are not those it offered.`)
      }
      if (this.#isFar(author, version, parameters)) {
        this.#counts.snapshotsFar++
        authors.refuse(author, 'far_donor', clock.now())
        return false
      }
      const before = await snapshots.take()
      const { norm, ownNorm } = await this.#distance(before.parameters, parameters)
      await run.learner.adopt(replica)
      this.#counts.snapshotsFollowed++
      author.mixes++
      author.lastMixMs = clock.now()
      emit({
        event: 'mix',
        with: author.id,
        strategy: OBSERVING,
        distance: ownNorm === 0 ? null : norm / ownNorm,
        staleness: author.beacon === null ? null : Math.max(0, author.beacon.version - version),
        stalenessMs: Math.round(clock.now() - offeredAtMs),
        bytes: body.length,
      })
      return true
    } finally {
      unlink()
      cancel()
    }
  }

  #isFar(author: Author, version: number, parameters: Float32Array): boolean {
    const { authors, run } = this.#options
    return judgeStanding({ from: author.id, version, sketch: this.#sketcher.sketch(parameters) }, authors.beacons(), run.initial) === 'far'
  }

  async #distance(mine: Float32Array, theirs: Float32Array): Promise<{ readonly norm: number; readonly ownNorm: number }> {
    const { compute } = this.#options
    const between = (from: Float32Array, to: Float32Array) => compute.pass(distancePass, { from, to }, to.byteLength)
    return { norm: await between(mine, theirs), ownNorm: await between(new Float32Array(mine.length), mine) }
  }
}
