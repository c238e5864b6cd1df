/** What a person should hear of the swarm that a peer is in: replicas that drift apart, others that are not listened to. */
import type { PeerEvent } from '../observe/events.ts'
import type { Author } from './authors.ts'

/** `relative`: how far, as a share of the replicas' size. */
export function farApart(relative: number): PeerEvent {
  const message = `The swarm's replicas are ${relative.toFixed(2)} of their size apart, farther than learning is known to bear: averaging more often (--period, or --period auto) would help.`
  return { event: 'warning', code: 'far_apart', message }
}

export function muted({ id, refusals, trust }: Author): PeerEvent {
  const causes = [...refusals].map(([code, count]) => `${code} ${count}`).join(', ')
  const message = `Peer ${id} is not listened to for a while: too much of what it sent was refused (${causes}; trust ${trust.score.toFixed(2)}).`
  return { event: 'warning', code: 'muted', message }
}
