/**
 * Repair of gossip links. A connection can live on while one of its gossip streams is dead, and gossipsub opens no second one. Every peer
 * speaks gossip in both directions, whatever it subscribes to, so a link without a stream in either direction for HALF_OPEN_MS is closed
 * and dialled again after a random delay, at most once per REPAIR_INTERVAL_MS and peer.
 */
import type { Connection } from '@libp2p/interface'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { HALF_OPEN_MS, REPAIR_CHECK_MS, REPAIR_INTERVAL_MS, REPAIR_JITTER_MS } from './limits.ts'

/** Both directions open over any of the connections to one peer. */
export function gossipsBothWays(connections: readonly Pick<Connection, 'streams' | 'status'>[]): boolean {
  const directions = new Set(
    connections
      .filter((connection) => connection.status === 'open')
      .flatMap((connection) => connection.streams)
      .filter((stream) => stream.protocol.startsWith('/meshsub/') && stream.status === 'open')
      .map((stream) => stream.direction),
  )
  return directions.size === 2
}

/** Remembers since when links are broken, and says which are due. Pure but for its memory. */
export class RepairPlan {
  readonly #brokenSinceMs = new Map<PeerId, number>()
  readonly #repairedAtMs = new Map<PeerId, number>()

  /** `links`: connected peers, and whether gossip flows both ways. Returns those to repair now. */
  due(links: ReadonlyMap<PeerId, boolean>, nowMs: number): readonly PeerId[] {
    for (const peer of this.#brokenSinceMs.keys()) if (links.get(peer) !== false) this.#brokenSinceMs.delete(peer)
    for (const [peer, at] of this.#repairedAtMs) if (nowMs - at >= REPAIR_INTERVAL_MS) this.#repairedAtMs.delete(peer)
    const due: PeerId[] = []
    for (const [peer, healthy] of links) {
      if (healthy) continue
      const since = this.#brokenSinceMs.get(peer) ?? nowMs
      this.#brokenSinceMs.set(peer, since)
      if (nowMs - since < HALF_OPEN_MS || this.#repairedAtMs.has(peer)) continue
      this.#brokenSinceMs.delete(peer)
      this.#repairedAtMs.set(peer, nowMs)
      due.push(peer)
    }
    return due
  }
}

export interface RepairContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly links: () => ReadonlyMap<PeerId, boolean>
  readonly addresses: (peer: PeerId) => readonly string[]
  readonly connected: (peer: PeerId) => boolean
  readonly hangUp: (peer: PeerId) => Promise<void>
  readonly dial: (address: string, signal: AbortSignal) => Promise<PeerId>
}

/** Runs until `signal` aborts; never rejects. */
export async function repairLinks(context: RepairContext, signal: AbortSignal): Promise<void> {
  const plan = new RepairPlan()
  const { clock } = context
  while (await slept(clock, REPAIR_CHECK_MS, signal)) {
    for (const peer of plan.due(context.links(), clock.now())) void repair(context, peer, signal)
  }
}

async function repair(context: RepairContext, peer: PeerId, signal: AbortSignal): Promise<void> {
  const addresses = context.addresses(peer)
  context.log.info('gossip with a peer is broken; connecting to it again', { peer })
  await context.hangUp(peer)
  if (!(await slept(context.clock, context.random.uniform() * REPAIR_JITTER_MS, signal))) return
  for (const address of addresses) {
    if (context.connected(peer) || signal.aborted) return
    try {
      await context.dial(address, signal)
      return
    } catch (error) {
      context.log.debug('repair could not reach an address', { peer, address, error: String(error) })
    }
  }
}

/** False when `signal` aborted instead. */
async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal)
    return true
  } catch {
    return false
  }
}
