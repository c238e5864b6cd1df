/**
 * Peers of one run in one process on virtual time: the peer's core, inline learners, the network in memory. Wait with `until`, never sleep.
 */
import assert from 'node:assert/strict'
import type { WrapperUse } from '../../src/envs/wrappers/wrap.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { foundRun } from '../../src/peer/found.ts'
import { joinRun } from '../../src/peer/join.ts'
import { Keeper } from '../../src/peer/keeper.ts'
import { Peer, type PeerOptions } from '../../src/peer/peer.ts'
import { resumeRun } from '../../src/peer/resume.ts'
import { learnerSettings, type PeerPorts, type Run } from '../../src/peer/run.ts'
import { type PeerSettings, resolveSettings } from '../../src/peer/settings.ts'
import type { Network } from '../../src/ports/network.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { type MemoryHub, memoryNetwork } from '../../src/sim/network.ts'
import { MemoryStorage } from '../../src/sim/storage.ts'
import type { Wires } from '../../src/sim/wires.ts'
import { inlineWorkers } from '../../src/sim/workers.ts'
import { loadAddresses } from '../../src/store/addresses.ts'
import { nextIncarnation } from '../../src/store/incarnation.ts'
import { seededRandom } from '../../src/util/random.ts'
import { examplePeerId } from './peer-ids.ts'

export interface VirtualPeer {
  readonly peer: Peer
  readonly network: Network
  readonly events: PeerEvent[]
  /** Events of one kind. */
  of<K extends PeerEvent['event']>(kind: K): Extract<PeerEvent, { event: K }>[]
  /** Goodbye. */
  leave(): Promise<void>
  /** Gone without a word. */
  crash(): Promise<void>
}

export interface VirtualPeerOptions {
  /** Addresses to join; none: founds the run. */
  readonly join?: readonly string[]
  readonly waitForPeers?: number
  readonly updateMs?: number
  readonly set?: Readonly<Record<string, string | number>>
  readonly flags?: Readonly<Record<string, unknown>>
  /** The data folder: with it the peer keeps checkpoints and addresses. */
  readonly storage?: MemoryStorage
  /** Goes on with the run in `storage`, as peer number `as`. */
  readonly resume?: { readonly as: number }
  /** Of a founder: wrappers of the environment. */
  readonly wrappers?: readonly WrapperUse[]
  readonly pace?: PeerOptions['pace']
  readonly view?: PeerOptions['view']
  readonly keepDeltas?: boolean
}

export class VirtualSwarm {
  readonly clock = new VirtualClock()
  readonly hub: MemoryHub
  #next = 1

  /** `wires`: what lies between the peers; when absent, 5 ms. */
  constructor(wires?: (clock: VirtualClock) => Wires) {
    this.hub = memoryNetwork(this.clock, wires === undefined ? { delayMs: 5 } : { wires: wires(this.clock) })
  }

  /** Starts a peer; virtual time passes meanwhile. Rejects as the daemon's start would. */
  async add(options: VirtualPeerOptions = {}): Promise<VirtualPeer> {
    const number = options.resume?.as ?? this.#next++
    const network = this.hub.join(examplePeerId(number))
    return this.during(this.#start(number, network, options))
  }

  async #start(number: number, network: Network, options: VirtualPeerOptions): Promise<VirtualPeer> {
    const { clock } = this
    const events: PeerEvent[] = []
    const emit = (event: PeerEvent) => void events.push(event)
    const workers = inlineWorkers(clock, { updateMs: options.updateMs ?? 1, sliceUpdates: 20 })
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const ports: PeerPorts = {
      network,
      clock,
      random: seededRandom('peer', number),
      log,
      storage: options.storage ?? new MemoryStorage(),
      workers,
    }
    const settings = this.#settings(options)
    await network.start(new AbortController().signal)
    const signal = new AbortController().signal
    const warn = (code: string, message: string) => emit({ event: 'warning', code, message })
    const resumed = options.resume === undefined ? null : await resumeRun(settings, ports, '/data', signal, warn)
    const caughtUp = resumed?.caughtUp ?? null
    if (caughtUp !== null)
      emit({ event: 'joined', run: resumed!.run.id, from: caughtUp.from, version: caughtUp.version, digest: caughtUp.digest })
    const joined = 'join' in settings.run ? await joinRun(settings.run.join, settings, ports, signal, warn) : null
    if (joined !== null) emit({ event: 'joined', run: joined.run.id, from: joined.from, version: joined.version, digest: joined.digest })
    const run = resumed?.run ?? joined?.run ?? (await this.#found(settings, ports, options.wrappers))
    const incarnation = await nextIncarnation(ports.storage, clock.unixSeconds())
    const peer = new Peer(run, ports, {
      incarnation,
      minPeriodMs: settings.minPeriodMs,
      knownAddresses: [...(options.join ?? []), ...(await loadAddresses(ports.storage, run.id))],
      waitForPeers: settings.waitForPeers,
      strictQuotas: settings.strictQuotas,
      observing: settings.observe,
      evaluation:
        settings.evalEvery === null
          ? null
          : { everySteps: settings.evalEvery, settings: learnerSettings(run.manifest, settings, network.id) },
      ...(options.pace === undefined ? {} : { pace: options.pace }),
      ...(options.view === undefined ? {} : { view: options.view }),
      keepDeltas: options.keepDeltas === true,
      adopted: joined ?? caughtUp,
      emit,
    })
    await peer.start()
    const keeper = new Keeper({
      run,
      ports,
      settings,
      incarnation,
      addresses: () => peer.addressBook(),
      pathOf: (name) => name,
      emit,
    })
    if (options.storage !== undefined) keeper.start()
    const down = async () => {
      await keeper.end(true)
      await workers.stop()
      await network.stop()
    }
    return {
      peer,
      network,
      events,
      of: <K extends PeerEvent['event']>(kind: K) =>
        events.filter((event): event is Extract<PeerEvent, { event: K }> => event.event === kind),
      leave: () => this.during(peer.stop().then(down)),
      crash: () => {
        void keeper.end(false)
        return this.during(
          network
            .stop()
            .then(() => Promise.all([peer.stop(), workers.stop()]))
            .then(() => undefined),
        )
      },
    }
  }

  #found(settings: PeerSettings, ports: PeerPorts, wrappers: readonly WrapperUse[] | undefined): Promise<Run> {
    assert.ok('found' in settings.run)
    const founding = wrappers === undefined ? settings.run.found : { ...settings.run.found, wrappers }
    return foundRun(settings, founding, ports)
  }

  #settings(options: VirtualPeerOptions): PeerSettings {
    const set = Object.entries(options.set ?? {}).map(([key, value]) => `${key}=${value}`)
    // The command line knows only addresses of TCP; here they are of the memory network.
    const settings = resolveSettings({
      command: options.join === undefined ? 'start' : 'join',
      addresses: options.join === undefined ? [] : ['127.0.0.1:1'],
      flags: {
        ...options.flags,
        set: [...((options.flags?.set as readonly string[] | undefined) ?? []), ...set],
        'wait-for-peers': options.waitForPeers ?? 0,
      },
      file: null,
      randomSeed: 5,
    })
    return options.join === undefined ? settings : { ...settings, run: { join: options.join } }
  }

  /** Lets virtual time pass until `condition` holds; fails after `limitMs` of it. */
  async until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    await this.clock.run(limitMs, condition)
    assert.ok(condition(), `within ${limitMs} virtual ms: ${what}`)
  }

  /** Lets virtual time pass until `work` is settled, then returns or throws what it did. */
  async during<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const done = work.finally(() => {
      settled = true
    })
    done.catch(() => undefined)
    await this.clock.run(600_000, () => settled)
    assert.ok(settled, 'the work goes on after ten virtual minutes')
    return done
  }
}
