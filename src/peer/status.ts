/** What a peer says of itself when asked: one plain, cloneable value. */
import type { PeerStatus } from '../observe/events.ts'
import { AGENT_VERSION } from '../wire/protocol.ts'
import type { Author } from './authors.ts'
import type { Peer } from './peer.ts'
import type { PeerPorts } from './run.ts'
import { trustAt } from './trust.ts'

export function peerStatus(peer: Peer, ports: Pick<PeerPorts, 'network' | 'clock'>, uptimeMs: number): PeerStatus {
  const { manifest, learner, id } = peer.run
  const progress = learner.progress()
  const nowMs = ports.clock.now()
  const connected = new Map(ports.network.peers().map((other) => [other.id, other]))
  return {
    peer: ports.network.id,
    run: id,
    name: manifest.name,
    version: AGENT_VERSION,
    uptimeSeconds: Math.round(uptimeMs / 1_000),
    addresses: ports.network.addresses(),
    environment: manifest.environment.id,
    algorithm: manifest.algorithm.id,
    strategy: manifest.averaging.strategy,
    engine: learner.describe().engine,
    steps: progress.steps,
    updates: progress.updates,
    stepsPerSecond: peer.stepsPerSecond,
    returnMean: progress.returnMean,
    episodes: progress.episodes,
    paused: peer.paused,
    observing: peer.observing,
    consensusDistance: peer.consensusDistance(),
    relayedOnly: peer.relayedOnly,
    reachable: ports.network.reachable?.() ?? null,
    peers: peer.authors.values().map((author) => ({
      id: author.id,
      state: author.state,
      steps: author.beacon?.steps ?? null,
      returnMean: author.beacon?.returnMean ?? null,
      mixes: author.mixes,
      refused: [...author.refusals.values()].reduce((sum, count) => sum + count, 0),
      version: author.beacon?.version ?? null,
      observing: author.beacon?.observing === true,
      connected: connected.has(author.id),
      relayed: connected.get(author.id)?.relayed === true,
      heardSecondsAgo: Math.round((nowMs - author.heardAtMs) / 1_000),
      mixedSecondsAgo: author.lastMixMs === null ? null : Math.round((nowMs - author.lastMixMs) / 1_000),
      ...trustOf(author, nowMs),
    })),
    counters: peer.counters(),
  }
}

function trustOf({ trust, refusals }: Author, nowMs: number) {
  const { score, muted } = trustAt(trust, nowMs)
  return { trust: score, muted, causes: Object.fromEntries(refusals) }
}
