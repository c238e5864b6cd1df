/** The answer of `grapevine status` for a person: what the run is, how this peer stands, and a table of the others. */
import type { PeerStatus } from './events.ts'
import { count, distance, duration, harmless, mean, plural } from './format.ts'

/** What a peer is that has no direct connection to anybody of its run. */
export const RELAYED_ONLY = 'reachable only through a relay; learning alone until a direct connection is made'

export function statusText(status: PeerStatus): string[] {
  const alive = status.peers.filter((peer) => peer.state === 'alive').length
  const rate = status.stepsPerSecond === null ? '' : `, ${count(status.stepsPerSecond)}/s`
  const rows: [string, string][] = [
    ['run', `${harmless(status.name)} (${status.run.slice(0, 12)})`],
    [status.observing === true ? 'following' : 'training', `${harmless(status.environment)} with ${status.algorithm} (${status.engine})`],
    ['progress', `${plural(status.steps, 'step')}${rate}, ${plural(status.updates, 'update')}, ${plural(status.episodes, 'episode')}`],
    ['mean return', `${mean(status.returnMean)} over the last 100 episodes`],
    ['averaging', `${status.strategy}, consensus distance ${distance(status.consensusDistance)}`],
    ['peer', status.peer],
    ...status.addresses.map((address, i): [string, string] => [i === 0 ? 'addresses' : '', address]),
    ...reach(status),
    ['up', duration(status.uptimeSeconds)],
    ['others', `${count(alive)} alive of ${count(status.peers.length)} known`],
  ]
  const counters = Object.entries(status.counters).map(([name, value]) => `${name} ${count(value)}`)
  const lines = rows.map(([name, value]) => `${name.padEnd(12)} ${value}`)
  if (counters.length > 0) lines.push(`${'counters'.padEnd(12)} ${counters.join(', ')}`)
  return status.peers.length === 0 ? lines : [...lines, '', ...peerTable(status.peers)]
}

function reach({ relayedOnly, reachable }: PeerStatus): [string, string][] {
  if (relayedOnly) return [['connection', RELAYED_ONLY]]
  if (reachable === null) return []
  return [
    ['connection', reachable ? 'others can dial this peer' : 'others cannot dial this peer; it dials them, or meets them through relays'],
  ]
}

function peerTable(peers: PeerStatus['peers']): string[] {
  const head = ['PEER', 'STATE', 'STEPS', 'RETURN', 'MIXES', 'REFUSED', 'TRUST', 'BECAUSE OF']
  const body = peers.map((peer) => [
    peer.id,
    stateOf(peer),
    count(peer.steps),
    mean(peer.returnMean),
    count(peer.mixes),
    count(peer.refused),
    trust(peer),
    causes(peer),
  ])
  return table([head, ...body], [false, false, true, true, true, true, false, false])
}

/** Who only watches is alive, and no partner. */
export function stateOf({ state, observing }: PeerStatus['peers'][number]): string {
  return observing === true && state === 'alive' ? 'observing' : state
}

/** How far its claims count. */
export function trust(peer: PeerStatus['peers'][number]): string {
  return `${peer.trust.toFixed(2)}${peer.muted ? ' muted' : ''}`
}

/** What was refused of it, and how often. */
export function causes(peer: PeerStatus['peers'][number]): string {
  return Object.entries(peer.causes)
    .map(([code, times]) => `${code} ${count(times)}`)
    .join(', ')
}

/** Columns as wide as their widest cell, two spaces between; `right`: which are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly boolean[]): string[] {
  const widths = right.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
