/**
 * The daemon: a peer with sockets, threads and a data folder. The only file that joins the peer's core to libp2p and Node.
 *
 * `start` either leaves a running daemon or nothing at all: what it opened before a failure is closed again, in reverse order.
 * `stop` says goodbye, stops the threads, closes the sockets, releases the folder, within STOP_TIMEOUT_MS + STOP_GRACE_MS; idempotent. It may
 * come at any time: a start that goes on is given up. One start and one stop per daemon.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fromString as decodeText } from 'uint8arrays/from-string'
import { readAllowList, readSwarmKey } from '../node/access-files.ts'
import { systemClock } from '../node/clock.ts'
import { type ControlServer, serveControl } from '../node/control.ts'
import { openDataFolder, requireFolder } from '../node/data-folder.ts'
import { readInitialWeights } from '../node/initial-weights.ts'
import { PLAY_REPLICA_MS } from '../node/limits.ts'
import { systemLog } from '../node/log.ts'
import { defaultMemoryLimit, watchMemory } from '../node/memory-watchdog.ts'
import { type PatientClock, patientClock } from '../node/patient-clock.ts'
import { playPolicy } from '../node/play-thread.ts'
import { systemRandom } from '../node/random.ts'
import { folderStorage } from '../node/storage.ts'
import { tryNetwork } from '../node/trial.ts'
import { threadWorkers } from '../node/workers.ts'
import type { PeerEvent, PeerStatus } from '../observe/events.ts'
import { TOKEN_BYTES } from '../observe/limits.ts'
import { MetricFiles } from '../observe/metric-files.ts'
import type { Log } from '../ports/log.ts'
import type { PeerId } from '../ports/network.ts'
import type { Storage } from '../ports/storage.ts'
import { loadAddresses } from '../store/addresses.ts'
import { loadIdentity } from '../store/identity.ts'
import { nextIncarnation } from '../store/incarnation.ts'
import { createSwarm } from '../swarm/host.ts'
import { GrapevineError } from '../util/errors.ts'
import { watchActors } from './actor-warnings.ts'
import type { Adopted } from './adopt.ts'
import { Bans } from './bans.ts'
import { Closers, within } from './closers.ts'
import { foundRun } from './found.ts'
import { initialiseFrom } from './init-from.ts'
import { invitation } from './inviting.ts'
import { joinRun } from './join.ts'
import { Keeper } from './keeper.ts'
import { banPeer, type Doorkeeper, listPeers, unbanPeer } from './keeping-out.ts'
import { STOP_TIMEOUT_MS } from './limits.ts'
import { observedPeer, shownSettings } from './observed.ts'
import { withOwnNetwork } from './own-network.ts'
import { Peer } from './peer.ts'
import { RecordKeeper } from './record-keeper.ts'
import { resumeRun } from './resume.ts'
import { learnerSettings, type PeerPorts, type Run } from './run.ts'
import type { PeerSettings } from './settings.ts'
import { peerStatus } from './status.ts'

export interface PeerDaemon {
  /** Resolves when the peer learns (or holds, waiting for others); rejects with a GrapevineError that says why not, or with the reason of `signal`. */
  start(signal?: AbortSignal): Promise<void>
  stop(reason?: string): Promise<void>
  /** The returned function unsubscribes. */
  on(listener: (event: PeerEvent) => void): () => void
  status(): PeerStatus
  /** Settles once everything is undone: resolves when `until` was reached or `stop` was called, rejects when the learner failed for good. */
  readonly finished: Promise<{ readonly reason: string }>
  /** The folder in use; null before it is open. */
  readonly dataDir: string | null
  /** Where the dashboard is, and what its commands need; null without one. */
  readonly dashboard: { readonly url: string; readonly token: string } | null
}

/** In the data folder: what the dashboard's commands need. */
const TOKEN_FILE = 'http-token'

export interface DaemonOverrides {
  readonly log?: Log
}

export function createPeer(settings: PeerSettings, overrides: DaemonOverrides = {}): PeerDaemon {
  return new Daemon(settings, overrides)
}

class Daemon implements PeerDaemon {
  readonly finished: Promise<{ readonly reason: string }>
  readonly #settings: PeerSettings
  readonly #log: Log
  readonly #listeners = new Set<(event: PeerEvent) => void>()
  readonly #closers: Closers
  readonly #startedAtMs = systemClock.now()
  readonly #finish: { resolve: (value: { reason: string }) => void; reject: (error: unknown) => void }
  #dataDir: string | null = null
  #dashboard: { readonly url: string; readonly token: string } | null = null
  #peer: Peer | null = null
  #ports: PeerPorts | null = null
  #clock: PatientClock | null = null
  #starting: Promise<void> | null = null
  #stopping: Promise<void> | null = null
  /** Why it stops; null before. */
  #reason: string | null = null
  /** Aborts when a start is to be given up. */
  readonly #leaving = new AbortController()
  /** Why the learner cannot go on. */
  #failure: { readonly error: unknown } | null = null
  /** `stopped` is the last event. */
  #over = false

  constructor(settings: PeerSettings, overrides: DaemonOverrides) {
    this.#settings = settings
    this.#log = overrides.log ?? systemLog({ level: 'warn', json: true })
    this.#closers = new Closers(systemClock, this.#log)
    const finish = Promise.withResolvers<{ reason: string }>()
    this.finished = finish.promise
    this.#finish = finish
    // A caller that only listens to events need not also watch `finished`.
    this.finished.catch(() => undefined)
  }

  get dataDir(): string | null {
    return this.#dataDir
  }

  get dashboard(): { readonly url: string; readonly token: string } | null {
    return this.#dashboard
  }

  on(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    this.#starting ??= this.#begin(signal)
    return this.#starting
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#reason ??= reason
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  status(): PeerStatus {
    if (this.#peer === null || this.#ports === null) {
      throw new GrapevineError('not_running', 'local', 'This peer is not running: await start() first.')
    }
    const status = peerStatus(this.#peer, this.#ports, systemClock.now() - this.#startedAtMs)
    const { stalledMs, lagMs } = this.#clock!
    const memoryBytes = process.memoryUsage.rss()
    return { ...status, counters: { ...status.counters, memoryBytes, eventLoopLagMs: lagMs(), stalledMs: stalledMs() } }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const interrupt = () => void this.#interrupt(signal.reason)
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt, { once: true })
    try {
      await this.#start(this.#leaving.signal)
    } catch (error) {
      await this.#closers.close()
      // What broke because it was interrupted is no reason of its own.
      throw this.#leaving.signal.aborted ? this.#leaving.signal.reason : error
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** Gives a start up that goes on: what it waits for ends when what it opened is closed. */
  async #interrupt(reason: unknown): Promise<void> {
    this.#leaving.abort(reason)
    await this.#closers.close()
  }

  async #start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const settings = this.#settings
    if ('resume' in settings.run) await requireFolder(settings.dataDir)
    const folder = await openDataFolder(settings.dataDir)
    this.#closers.push(() => folder.release())
    this.#dataDir = folder.path
    signal.throwIfAborted()
    const storage = folderStorage(folder.path)
    const record = new RecordKeeper({
      storage,
      clock: systemClock,
      warn: (code, message) => this.#emit({ event: 'warning', code, message }),
    })
    this.#closers.push(this.on((event) => record.take(event)))
    const identitySeed = await loadIdentity(storage, systemRandom)
    const swarmKey = await swarmKeyOf(settings)
    const allowed = settings.allow === null ? null : await readAllowList(settings.allow)
    const bans = await Bans.load(storage, systemClock)
    const clock = patientClock()
    this.#clock = clock
    this.#closers.push(() => clock.stop())
    this.#closers.push(watchMemory(settings.memoryLimitBytes ?? defaultMemoryLimit(), (used) => this.#outOfMemory(used)))
    // Who joins has hands to shake first, and on a busy machine a thread that loads would be in the way.
    const workers = threadWorkers({ early: !('join' in settings.run) })
    this.#closers.push(() => workers.stop())
    const network = createSwarm({
      identitySeed,
      listen: settings.listen,
      announce: settings.announce,
      mdns: settings.mdns,
      relay: settings.relay,
      upnp: settings.upnp,
      swarmKey,
      admits: (peer) => (allowed === null || allowed.has(peer)) && !bans.has(peer),
      log: this.#log,
      random: systemRandom,
      clock,
    })
    this.#closers.push(() => network.stop())
    await network.start(signal)
    signal.throwIfAborted()
    this.#closers.push(() => workers.stop())
    const ports: PeerPorts = { network, clock, random: systemRandom, log: this.#log, storage, workers }
    this.#ports = ports
    const choice = settings.run
    const { run, joined } = await this.#obtain(ports, signal)
    signal.throwIfAborted()
    this.#watchLearner(run)
    this.#tellEngine(run)
    const incarnation = await nextIncarnation(storage, systemClock.unixSeconds())
    const stored = await loadAddresses(storage, run.id)
    signal.throwIfAborted()
    const peer = new Peer(run, ports, {
      incarnation,
      minPeriodMs: settings.minPeriodMs,
      knownAddresses: [...new Set([...('join' in choice ? choice.join : []), ...stored])],
      waitForPeers: settings.waitForPeers,
      strictQuotas: settings.strictQuotas,
      observing: settings.observe,
      evaluation: evaluationOf(run, settings, network.id),
      adopted: joined,
      emit: (event) => this.#emit(event),
    })
    this.#peer = peer
    const keeper = this.#keeper(run, ports, incarnation, peer, folder.path)
    this.#closers.push(async () => {
      // What a learner that failed holds is nothing to go on from. Saving and the goodbye do not wait for each other: time is short.
      await Promise.all([keeper.end(this.#failure === null || isOutOfMemory(this.#failure.error)), peer.stop()])
    })
    await this.#beginRecord(record, peer, incarnation)
    const door = { peer, network, bans }
    const control = await this.#serveControl(folder.path, door, swarmKey)
    this.#closers.push(() => control.close())
    signal.throwIfAborted()
    this.#writeMetrics(peer, storage)
    await this.#serveDashboard(door, keeper, storage, ports)
    signal.throwIfAborted()
    const http = this.#dashboard?.url ?? null
    this.#emit({ event: 'listening', addresses: network.addresses(), peer: network.id, run: run.id, http })
    if (joined !== null) {
      this.#emit({ event: 'joined', run: run.id, from: joined.from, version: joined.version, digest: joined.digest })
    }
    await peer.start()
    keeper.start()
    this.#closers.push(peer.onEvaluated((evaluated) => keeper.evaluated(evaluated)))
    this.#watchUntil(run, peer)
  }

  /** Founds, joins or resumes. `joined`: whose weights were taken over. */
  async #obtain(ports: PeerPorts, signal: AbortSignal): Promise<{ run: Run; joined: Adopted | null }> {
    const settings = this.#settings
    const choice = settings.run
    const warn = (code: string, message: string) => this.#emit({ event: 'warning', code, message })
    if ('found' in choice) {
      // Read first: what is wrong with it is told before anything is built.
      const weights = settings.initFrom === null ? null : await readInitialWeights(settings.initFrom)
      const { run: chosen } = await withOwnNetwork(settings, tryNetwork)
      const run = await foundRun(settings, 'found' in chosen ? chosen.found : choice.found, ports)
      if (weights !== null) await initialiseFrom(run, weights, settings.initFrom ?? '', warn)
      return { run, joined: null }
    }
    if ('resume' in choice) {
      const { run, caughtUp } = await resumeRun(settings, ports, this.#dataDir ?? '', signal, warn)
      return { run, joined: caughtUp }
    }
    const { run, ...joined } = await joinRun(choice.join, settings, ports, signal, warn)
    return { run, joined }
  }

  /** What a report of the run will show. */
  async #beginRecord(record: RecordKeeper, { run }: Peer, incarnation: number): Promise<void> {
    const { peer, version } = this.status()
    await record.begin({
      run: { peer, run: run.id, version, manifest: run.manifest, settings: shownSettings(this.#settings) },
      incarnation,
      steps: run.learner.progress().steps,
      status: () => this.status(),
      onProgress: (listener) => run.learner.onProgress(({ steps, returnMean }) => listener(steps, returnMean)),
      statistics: () => run.learner.progress().statistics,
    })
    this.#closers.push(() => record.end(this.#reason))
  }

  #keeper(run: Run, ports: PeerPorts, incarnation: number, peer: Peer, folder: string): Keeper {
    return new Keeper({
      run,
      ports,
      settings: this.#settings,
      incarnation,
      addresses: () => peer.addressBook(),
      pathOf: (name) => join(folder, name),
      emit: (event) => this.#emit(event),
    })
  }

  /** The fall-back to the deterministic kernels is worth a word: results stay right, updates are slower. */
  #tellEngine(run: Run): void {
    if (this.#settings.deterministic || run.learner.describe().engine !== 'wasm deterministic') return
    const message =
      'This machine has no relaxed SIMD for WebAssembly, so the deterministic kernels are used: results are right, updates may be slower.'
    this.#emit({ event: 'warning', code: 'engine_fallback', message })
  }

  #watchLearner(run: Run): void {
    this.#closers.push(watchActors(run, this.#settings.actors, (event) => this.#emit(event)))
    run.learner.failed.catch((error: unknown) => {
      const message = messageOf(error)
      const code = error instanceof GrapevineError ? error.code : 'learner_failed'
      this.#emit({ event: 'error', code, message })
      this.#failure ??= { error }
      void this.stop('failed')
    })
  }

  /** Leaves before the system ends the process, which would lose more. */
  #outOfMemory(usedBytes: number): void {
    const gib = (bytes: number) => `${(bytes / 1_073_741_824).toFixed(2)} GiB`
    const limitBytes = this.#settings.memoryLimitBytes ?? defaultMemoryLimit()
    const message = `This peer has ${gib(usedBytes)} of memory, more than the ${gib(limitBytes)} it may have (--max-memory), and leaves; start it again.`
    const error = new GrapevineError('out_of_memory', 'local', message, { usedBytes, limitBytes })
    this.#emit({ event: 'error', code: error.code, message })
    this.#failure ??= { error }
    void this.stop('out of memory')
  }

  #watchUntil(run: Run, peer: Peer): void {
    const { until } = this.#settings
    if (until.kind === 'minutes') {
      this.#closers.push(systemClock.after(until.minutes * 60_000, () => void this.stop(`reached ${until.minutes} minutes`)))
    } else if (until.kind === 'steps') {
      const reached = () => run.learner.progress().steps >= until.steps
      // The evaluation of the last step belongs to it.
      const leave = () => void peer.evaluated().then(() => this.stop(`reached ${until.steps} steps`))
      this.#closers.push(run.learner.onProgress(() => reached() && leave()))
      if (reached()) leave()
    } else if (until.kind === 'solved') {
      this.#closers.push(run.learner.onProgress((progress) => progress.solved !== null && void this.stop('solved')))
    }
  }

  async #serveControl(dataDir: string, door: Doorkeeper, swarmKey: Uint8Array | null): Promise<ControlServer> {
    try {
      return await serveControl(dataDir, {
        status: () => this.status(),
        pause: () => door.peer.pause(),
        resume: () => door.peer.resume(),
        invite: ({ withKey }) => invitation(door, withKey === true, swarmKey),
        peers: () => listPeers(door),
        ban: (request) => banPeer(door, request),
        unban: (request) => unbanPeer(door, request),
        // The answer goes out first; the asker then waits for the folder's lock to be free.
        stop: () => {
          systemClock.after(10, () => void this.stop('asked to stop'))
        },
      })
    } catch (error) {
      if (error instanceof GrapevineError) throw error
      const message = `Cannot open the control socket in ${dataDir}: ${messageOf(error)}; choose another folder with --data-dir.`
      throw new GrapevineError('data_dir', 'local', message)
    }
  }

  #writeMetrics(peer: Peer, storage: Storage): void {
    const kinds = this.#settings.metrics
    if (kinds.length === 0) return
    const files = new MetricFiles({
      kinds,
      append: (name, bytes) => storage.append(name, bytes),
      unixSeconds: () => systemClock.unixSeconds(),
      statistics: () => peer.run.learner.progress().statistics,
      failed: (message) => this.#emit({ event: 'warning', code: 'metrics_not_written', message }),
    })
    this.#closers.push(this.on((event) => files.take(event)))
  }

  /** The token lies beside the key, for this user only, and is gone when the daemon is. */
  async #serveDashboard(door: Doorkeeper, keeper: Keeper, storage: Storage, ports: PeerPorts): Promise<void> {
    const { http } = this.#settings
    if (http === null) return
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    await storage.write(TOKEN_FILE, Buffer.from(`${token}\n`), { secret: true })
    this.#closers.push(() => storage.remove(TOKEN_FILE))
    const { peer } = door
    const settings = learnerSettings(peer.run.manifest, this.#settings, ports.network.id)
    const observed = observedPeer(door, ports, this.#settings, {
      status: () => this.status(),
      on: (listener) => this.on(listener),
      stop: () => void this.stop('asked to stop'),
      checkpoint: () => keeper.checkpoint(),
      watch: (show, failed) => playPolicy(settings, () => peer.recentSnapshot(PLAY_REPLICA_MS), { show, failed }),
    })
    const { serveDashboard } = await import('../observe/http/server.ts')
    const dashboard = await serveDashboard(observed, http, token)
    this.#closers.push(() => dashboard.close())
    this.#dashboard = { url: dashboard.url, token }
  }

  #emit(event: PeerEvent): void {
    if (this.#over) return
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        this.#log.error('a listener for events failed', { event: event.event, message: messageOf(error) })
      }
    }
  }

  async #stop(reason: string): Promise<void> {
    const steps = this.#peer?.run.learner.progress().steps ?? 0
    const deadlineMs = systemClock.now() + STOP_TIMEOUT_MS
    await this.#interrupt(this.#failure?.error ?? new GrapevineError('stopped', 'local', 'This peer was stopped.'))
    // Whatever a start opened meanwhile, it closes itself.
    const started = this.#starting?.catch(() => undefined)
    if (started !== undefined) await within(systemClock, deadlineMs - systemClock.now(), started)
    this.#emit({ event: 'stopped', reason, steps })
    this.#over = true
    if (this.#failure === null) this.#finish.resolve({ reason })
    else this.#finish.reject(this.#failure.error)
  }
}

async function swarmKeyOf({ swarmKey }: PeerSettings): Promise<Uint8Array | null> {
  if (swarmKey === null) return null
  return 'file' in swarmKey ? readSwarmKey(swarmKey.file) : decodeText(swarmKey.hex, 'base16')
}

function evaluationOf(run: Run, settings: PeerSettings, self: PeerId) {
  const { evalEvery: everySteps } = settings
  return everySteps === null ? null : { everySteps, settings: learnerSettings(run.manifest, settings, self) }
}

/** The learner is well then, and what it knows is worth a checkpoint. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof GrapevineError && error.code === 'out_of_memory'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
