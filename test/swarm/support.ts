/** Networks on loopback sockets for tests: deterministic identities, quiet logs, waiting on conditions. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/node/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Log } from '../../src/ports/log.ts'
import type { Network } from '../../src/ports/network.ts'
import { createSwarm, type SwarmOptions } from '../../src/swarm/host.ts'
import { seededRandom } from '../../src/util/random.ts'

export const forever = new AbortController().signal

const MAX_WAIT_MS = 10_000
const POLL_MS = 2

export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }

export function seed(number: number): Uint8Array {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

export function loopbackSwarm(number: number, options: Partial<SwarmOptions> = {}): Network {
  return createSwarm({
    identitySeed: seed(number),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    mdns: false,
    clock: systemClock,
    random: seededRandom('swarm', number),
    log: quiet,
    ...options,
  })
}

export async function until(done: () => boolean, what = 'it'): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS
  while (!done()) {
    assert.ok(performance.now() < end, `${what} never happened`)
    await sleep(POLL_MS)
  }
}

/** A port of this machine at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  await new Promise((resolve) => server.close(resolve))
  return address.port
}

/** The system's clock with every wait shortened, so that deadlines come soon. */
export function hurried(factor: number): Clock {
  return {
    now: () => systemClock.now() * factor,
    unixSeconds: systemClock.unixSeconds,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
    after: (ms, run) => systemClock.after(ms / factor, run),
  }
}
