/** A process and a daemon for the command line that do nothing but what a test says. */
import type { Io } from '../../src/cli/io.ts'
import type { PeerEvent, PeerStatus } from '../../src/observe/events.ts'
import type { PeerDaemon } from '../../src/peer/daemon.ts'
import { GrapevineError } from '../../src/util/errors.ts'

type Leave = Parameters<Parameters<Io['onLeave']>[0]>[0]

export interface FakeIo extends Io {
  /** All that was written. */
  readonly written: { out: string; err: string }
  readonly exits: number[]
  dropped: number
  leave(why: Leave): void
  /** Listeners of `onLeave` that are still there. */
  listening(): number
}

export function fakeIo(
  options: { readonly terminal?: boolean; readonly env?: Record<string, string>; readonly columns?: number } = {},
): FakeIo {
  const written = { out: '', err: '' }
  const listeners = new Set<(why: Leave) => void>()
  const output = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text
    },
    isTerminal: options.terminal === true,
    columns: options.columns ?? 80,
  })
  const io: FakeIo = {
    out: output('out'),
    err: output('err'),
    env: options.env ?? {},
    written,
    exits: [],
    dropped: 0,
    droppedWrites: () => io.dropped,
    onLeave(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    exit: (code) => io.exits.push(code),
    leave: (why) => {
      for (const listener of listeners) listener(why)
    },
    listening: () => listeners.size,
  }
  return io
}

export const status: PeerStatus = {
  peer: '12D3KooWself',
  run: '0123456789abcdef',
  name: 'CartPole-v1',
  version: 'grapevine/1.0',
  uptimeSeconds: 1,
  addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWself'],
  environment: 'CartPole-v1',
  algorithm: 'a2c',
  strategy: 'broadcast',
  engine: 'wasm',
  steps: 12_000,
  updates: 300,
  stepsPerSecond: 6_000,
  returnMean: 42,
  episodes: 100,
  paused: false,
  consensusDistance: null,
  relayedOnly: false,
  reachable: null,
  peers: [
    {
      id: '12D3KooWone',
      state: 'alive',
      steps: 1,
      returnMean: 2,
      mixes: 3,
      refused: 0,
      version: 1,
      connected: true,
      relayed: false,
      heardSecondsAgo: 1,
      mixedSecondsAgo: 1,
      trust: 1,
      muted: false,
      causes: {},
    },
  ],
  counters: {},
}

export const listening: PeerEvent = { event: 'listening', addresses: status.addresses, peer: status.peer, run: status.run, http: null }

/** `start` waits for `started` to settle; `stop` for `stopped`. */
export class FakeDaemon implements PeerDaemon {
  readonly started = Promise.withResolvers<void>()
  readonly stopped = Promise.withResolvers<void>()
  readonly #finished = Promise.withResolvers<{ reason: string }>()
  readonly finished = this.#finished.promise
  readonly dataDir = '/home/u/.grapevine/default'
  readonly dashboard = null
  /** Reasons with which it was told to stop. */
  readonly stops: string[] = []
  steps = 12_000
  #running = false
  readonly #listeners = new Set<(event: PeerEvent) => void>()

  async start(signal?: AbortSignal): Promise<void> {
    signal?.addEventListener('abort', () => this.started.reject(signal.reason), { once: true })
    await this.started.promise
    this.#running = true
    this.emit(listening)
  }

  async stop(reason = 'stopped'): Promise<void> {
    this.stops.push(reason)
    await this.stopped.promise
    this.emit({ event: 'stopped', reason, steps: this.steps })
    this.#finished.resolve({ reason })
  }

  fail(error: Error): void {
    this.#finished.reject(error)
  }

  on(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(event: PeerEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  status(): PeerStatus {
    if (!this.#running) throw new GrapevineError('not_running', 'local', 'Not running.')
    return { ...status, steps: this.steps }
  }
}
