/** What `status --watch` shows, again and again: this peer in a few lines, then a row for each other one, with curves of what was seen. */
import type { PeerStatus } from './events.ts'
import { compact, count, distance, duration, harmless, mean, shortId } from './format.ts'
import { Sparkline } from './sparkline.ts'
import { stateOf, table } from './status-text.ts'

const CURVE_WIDTH = 24
const PEER_CURVE_WIDTH = 12

export class Watch {
  readonly #returns = new Sparkline(CURVE_WIDTH)
  readonly #distances = new Sparkline(CURVE_WIDTH)
  readonly #peers = new Map<string, Sparkline>()

  /** The screen for `status`, each line at most `columns` wide. */
  lines(status: PeerStatus, columns: number): string[] {
    if (status.returnMean !== null) this.#returns.add(status.returnMean)
    if (status.consensusDistance !== null) this.#distances.add(Math.log(Math.max(1e-12, status.consensusDistance)))
    const alive = status.peers.filter((peer) => peer.state === 'alive').length
    const rate = status.stepsPerSecond === null ? '' : `  ${compact(status.stepsPerSecond)}/s`
    const head = [
      `${harmless(status.name)} with ${status.algorithm}, up ${duration(status.uptimeSeconds)}${status.paused ? ', paused' : ''}`,
      `return    ${mean(status.returnMean).padStart(8)}  ${this.#returns}`,
      `distance  ${distance(status.consensusDistance).padStart(8)}  ${this.#distances}`,
      `steps     ${compact(status.steps).padStart(8)}${rate}  ${count(status.updates)} updates`,
      `peers     ${String(alive).padStart(8)}  alive of ${status.peers.length} known`,
    ]
    const lines = status.peers.length === 0 ? head : [...head, '', ...this.#table(status)]
    return lines.map((line) => line.slice(0, Math.max(0, columns)))
  }

  #table({ peers }: PeerStatus): string[] {
    const rows = peers.map((peer) => {
      const curve = this.#peers.get(peer.id) ?? new Sparkline(PEER_CURVE_WIDTH)
      this.#peers.set(peer.id, curve)
      if (peer.returnMean !== null) curve.add(peer.returnMean)
      const mixed = peer.mixedSecondsAgo === null ? '-' : `${peer.mixedSecondsAgo} s`
      return [
        shortId(peer.id),
        stateOf(peer),
        compact(peer.steps),
        mean(peer.returnMean),
        String(curve),
        count(peer.mixes),
        mixed,
        count(peer.refused),
      ]
    })
    for (const id of this.#peers.keys()) if (!peers.some((peer) => peer.id === id)) this.#peers.delete(id)
    const right = [false, false, true, true, false, true, true, true]
    return table([['PEER', 'STATE', 'STEPS', 'RETURN', '', 'MIXES', 'LAST', 'REFUSED'], ...rows], right)
  }
}
