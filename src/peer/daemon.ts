/**
 * The daemon: a peer with sockets, threads and a data folder. The only file that joins the peer's core to libp2p and Node.
 *
 * `start` either leaves a running daemon or nothing at all: what it opened before a failure is closed again, in reverse order.
 * `stop` says goodbye, stops the threads, closes the sockets, releases the folder, within STOP_TIMEOUT_MS + STOP_GRACE_MS; idempotent. It may
 * come at any time: a start that goes on is given up. One start and one stop per daemon.
 */

import { join } from 'node:path'
import { readAllowList, swarmKeyOf } from '../node/access-files.ts'
import { systemClock } from '../node/clock.ts'
import { serveControl } from '../node/control.ts'
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
import { newToken } from '../observe/http/guard.ts'
import { MetricFiles } from '../observe/metric-files.ts'
import type { Log } from '../ports/log.ts'
import type { PeerId } from '../ports/network.ts'
import type { Storage } from '../ports/storage.ts'
import { loadAddresses } from '../store/addresses.ts'
import { loadIdentity } from '../store/identity.ts'
import { nextIncarnation } from '../store/incarnation.ts'
import { createSwarm } from '../swarm/host.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { watchActors } from './actor-warnings.ts'
import { Bans } from './bans.ts'
import { controlCommands } from './control-commands.ts'
import { type Dashboard, openDashboard } from './dashboard.ts'
import { warnOfEngine } from './engine-warning.ts'
import { Keeper } from './keeper.ts'
import type { Doorkeeper } from './keeping-out.ts'
import { identityInUse, isWell, outOfMemory } from './leaving.ts'
import { Life } from './life.ts'
import { Listeners } from './listeners.ts'
import { observedPeer, shownSettings } from './observed.ts'
import { obtainRun } from './obtain.ts'
import { Peer } from './peer.ts'
import { RecordKeeper } from './record-keeper.ts'
import { learnerSettings, type PeerPorts, type Run } from './run.ts'
import type { PeerSettings } from './settings.ts'
import { peerStatus } from './status.ts'
import { watchUntil } from './until.ts'

/** One peer of a run as a program holds it. It starts once and stops once. */
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
  /** null without one. */
  readonly dashboard: Dashboard | null
}

export interface DaemonOverrides {
  readonly log?: Log
}

export function createPeer(settings: PeerSettings, overrides: DaemonOverrides = {}): PeerDaemon {
  return new Daemon(settings, overrides)
}

class Daemon implements PeerDaemon {
  readonly #life: Life
  readonly #settings: PeerSettings
  readonly #log: Log
  readonly #listeners: Listeners
  readonly #startedAtMs = systemClock.now()
  #dataDir: string | null = null
  #dashboard: Dashboard | null = null
  #peer: Peer | null = null
  #ports: PeerPorts | null = null
  #clock: PatientClock | null = null

  constructor(settings: PeerSettings, overrides: DaemonOverrides) {
    this.#settings = settings
    this.#log = overrides.log ?? systemLog({ level: 'warn', json: true })
    this.#listeners = new Listeners(this.#log)
    this.#life = new Life(systemClock, this.#log)
  }

  get finished(): Promise<{ readonly reason: string }> {
    return this.#life.finished
  }

  get dataDir(): string | null {
    return this.#dataDir
  }

  get dashboard(): Dashboard | null {
    return this.#dashboard
  }

  on(listener: (event: PeerEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.#life.start(signal, (leaving) => this.#start(leaving))
  }

  stop(reason = 'stopped'): Promise<void> {
    return this.#life.stop(reason, () => {
      this.#listeners.tellLast({ event: 'stopped', reason, steps: this.#peer?.run.learner.progress().steps ?? 0 })
    })
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

  async #start(signal: AbortSignal): Promise<void> {
    const settings = this.#settings
    const folder = await this.#openFolder(signal)
    const storage = folderStorage(folder)
    const record = new RecordKeeper({ storage, clock: systemClock, warn: (code, message) => this.#warn(code, message) })
    this.#life.closers.push(this.on((event) => record.take(event)))
    const bans = await Bans.load(storage, systemClock)
    const swarmKey = await swarmKeyOf(settings.swarmKey)
    const ports = await this.#openPorts(storage, bans, swarmKey, signal)
    this.#ports = ports
    const { network } = ports
    const { run, joined } = await obtainRun({
      settings,
      ports,
      folder,
      readWeights: readInitialWeights,
      tryNetwork,
      signal,
      warn: (code, message) => this.#warn(code, message),
    })
    signal.throwIfAborted()
    this.#watchLearner(run)
    warnOfEngine(run, settings.deterministic, (event) => this.#listeners.tell(event))
    const incarnation = await nextIncarnation(storage, systemClock.unixSeconds())
    const stored = await loadAddresses(storage, run.id)
    signal.throwIfAborted()
    const peer = new Peer(run, ports, {
      incarnation,
      minPeriodMs: settings.minPeriodMs,
      knownAddresses: [...new Set([...('join' in settings.run ? settings.run.join : []), ...stored])],
      waitForPeers: settings.waitForPeers,
      strictQuotas: settings.strictQuotas,
      observing: settings.observe,
      evaluation: evaluationOf(run, settings, network.id),
      adopted: joined,
      onUsurped: () => this.#fail(identityInUse(), 'identity in use'),
      emit: (event) => this.#listeners.tell(event),
    })
    this.#peer = peer
    const keeper = new Keeper({
      run,
      ports,
      settings,
      incarnation,
      addresses: () => peer.addressBook(),
      pathOf: (name) => join(folder, name),
      emit: (event) => this.#listeners.tell(event),
    })
    this.#life.closers.push(async () => {
      // What a learner that failed holds is nothing to go on from. Saving and the goodbye do not wait for each other: time is short.
      await Promise.all([keeper.end(this.#life.failure === null || isWell(this.#life.failure.error)), peer.stop()])
    })
    await this.#beginRecord(record, peer, incarnation)
    const door = { peer, network, bans }
    await this.#serveControl(folder, door, swarmKey)
    signal.throwIfAborted()
    this.#writeMetrics(peer, storage)
    await this.#serveDashboard(door, keeper, storage, ports)
    signal.throwIfAborted()
    const http = this.#dashboard?.url ?? null
    this.#listeners.tell({ event: 'listening', addresses: network.addresses(), peer: network.id, run: run.id, http })
    if (joined !== null) {
      this.#listeners.tell({ event: 'joined', run: run.id, from: joined.from, version: joined.version, digest: joined.digest })
    }
    await peer.start()
    keeper.start()
    this.#life.closers.push(peer.onEvaluated((evaluated) => keeper.evaluated(evaluated)))
    this.#life.closers.push(watchUntil(settings.until, systemClock, peer, (reason) => void this.stop(reason)))
  }

  /** The data folder, this daemon's alone from now on. */
  async #openFolder(signal: AbortSignal): Promise<string> {
    const { run, dataDir } = this.#settings
    signal.throwIfAborted()
    if ('resume' in run) await requireFolder(dataDir)
    const folder = await openDataFolder(dataDir)
    this.#life.closers.push(() => folder.release())
    this.#dataDir = folder.path
    signal.throwIfAborted()
    return folder.path
  }

  /** Sockets and threads: the network listens, a thread for the learner may begin to load. */
  async #openPorts(storage: Storage, bans: Bans, swarmKey: Uint8Array | null, signal: AbortSignal): Promise<PeerPorts> {
    const { allow, run, memoryLimitBytes, listen, announce, mdns, relay, upnp } = this.#settings
    const [random, log] = [systemRandom, this.#log]
    const identitySeed = await loadIdentity(storage, random)
    const allowed = allow === null ? null : await readAllowList(allow)
    const clock = patientClock()
    this.#clock = clock
    this.#life.closers.push(() => clock.stop())
    this.#life.closers.push(this.#watchMemory(memoryLimitBytes ?? defaultMemoryLimit()))
    const admits = (peer: PeerId) => (allowed === null || allowed.has(peer)) && !bans.has(peer)
    const network = createSwarm({ identitySeed, listen, announce, mdns, relay, upnp, swarmKey, admits, log, random, clock })
    this.#life.closers.push(() => network.stop())
    // Who joins has hands to shake first, and on a busy machine a thread that loads would be in the way.
    const workers = threadWorkers({ early: !('join' in run) })
    this.#life.closers.push(() => workers.stop())
    await network.start(signal)
    signal.throwIfAborted()
    return { network, clock, random, log, storage, workers }
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
    this.#life.closers.push(() => record.end(this.#life.reason))
  }

  #watchLearner(run: Run): void {
    this.#life.closers.push(watchActors(run, this.#settings.actors, (event) => this.#listeners.tell(event)))
    run.learner.failed.catch((error: unknown) => this.#fail(error, 'failed'))
  }

  #fail(error: unknown, reason: string): void {
    const code = error instanceof GrapevineError ? error.code : 'learner_failed'
    this.#listeners.tell({ event: 'error', code, message: messageOf(error) })
    this.#life.fail(error)
    void this.stop(reason)
  }

  #warn(code: string, message: string): void {
    this.#listeners.tell({ event: 'warning', code, message })
  }

  /** Leaves before the system ends the process, which would lose more. */
  #watchMemory(limitBytes: number): () => void {
    return watchMemory(limitBytes, (usedBytes) => this.#fail(outOfMemory(usedBytes, limitBytes), 'out of memory'))
  }

  async #serveControl(dataDir: string, door: Doorkeeper, swarmKey: Uint8Array | null): Promise<void> {
    const commands = controlCommands(door, swarmKey, {
      status: () => this.status(),
      // The answer goes out first; the asker then waits for the folder's lock to be free.
      stop: () => {
        systemClock.after(10, () => void this.stop('asked to stop'))
      },
    })
    const control = await serveControl(dataDir, commands)
    this.#life.closers.push(() => control.close())
  }

  #writeMetrics(peer: Peer, storage: Storage): void {
    const kinds = this.#settings.metrics
    if (kinds.length === 0) return
    const files = new MetricFiles({
      kinds,
      append: (name, bytes) => storage.append(name, bytes),
      unixSeconds: () => systemClock.unixSeconds(),
      statistics: () => peer.run.learner.progress().statistics,
      failed: (message) => this.#warn('metrics_not_written', message),
    })
    this.#life.closers.push(this.on((event) => files.take(event)))
  }

  async #serveDashboard(door: Doorkeeper, keeper: Keeper, storage: Storage, ports: PeerPorts): Promise<void> {
    const { http } = this.#settings
    if (http === null) return
    const { peer } = door
    const settings = learnerSettings(peer.run.manifest, this.#settings, ports.network.id)
    const observed = observedPeer(door, ports, this.#settings, {
      status: () => this.status(),
      on: (listener) => this.on(listener),
      stop: () => void this.stop('asked to stop'),
      checkpoint: () => keeper.checkpoint(),
      watch: (show, failed) => playPolicy(settings, () => peer.recentSnapshot(PLAY_REPLICA_MS), { show, failed }),
    })
    this.#dashboard = await openDashboard(observed, http, newToken(), storage, this.#life.closers)
  }
}

function evaluationOf(run: Run, settings: PeerSettings, self: PeerId) {
  const { evalEvery: everySteps } = settings
  return everySteps === null ? null : { everySteps, settings: learnerSettings(run.manifest, settings, self) }
}
