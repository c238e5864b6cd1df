/** What the command line may ask of a running peer, by the names of its commands; requests are not judged yet. */
import type { PeerStatus } from '../observe/events.ts'
import { invitation } from './inviting.ts'
import { banPeer, type Doorkeeper, listPeers, unbanPeer } from './keeping-out.ts'

type Request = Readonly<Record<string, unknown>>

/** What the daemon around the peer adds. */
interface Daemon {
  readonly status: () => PeerStatus
  readonly stop: () => void
}

export function controlCommands(
  door: Doorkeeper,
  swarmKey: Uint8Array | null,
  { status, stop }: Daemon,
): Readonly<Record<string, (request: Request) => unknown>> {
  return {
    status,
    pause: () => door.peer.pause(),
    resume: () => door.peer.resume(),
    invite: ({ withKey }) => invitation(door, withKey === true, swarmKey),
    peers: () => listPeers(door),
    ban: (request) => banPeer(door, request),
    unban: (request) => unbanPeer(door, request),
    stop,
  }
}
