/** A peer as the dashboard sees it: how it stands, what it may be asked for. Secrets stay behind. */
import type { PeerEvent, PeerStatus } from '../observe/events.ts'
import type { Observed } from '../observe/http/source.ts'
import { isLoopback } from '../wire/address.ts'
import { invitation } from './inviting.ts'
import { banPeer, type Doorkeeper } from './keeping-out.ts'
import type { PeerPorts } from './run.ts'
import type { PeerSettings } from './settings.ts'

/** Settings of such names never leave the process. */
const SECRET = /key|secret|token/i

/** Why a peer that was banned from the page is. */
const BANNED_HERE = 'banned from the dashboard'

/** What the daemon around the peer adds. */
export interface Surroundings {
  status(): PeerStatus
  on(listener: (event: PeerEvent) => void): () => void
  stop(): void
  checkpoint(): Promise<void>
  readonly watch: Observed['watch']
}

export function observedPeer(door: Doorkeeper, ports: PeerPorts, settings: PeerSettings, around: Surroundings): Observed {
  const { peer } = door
  const { learner, manifest } = peer.run
  return {
    status: () => around.status(),
    statistics: () => learner.progress().statistics,
    learnerCpuMs: () => learner.progress().cpuMs,
    facts: { manifest, settings: shownSettings(settings) },
    invitation: () => {
      const addresses = ports.network.addresses()
      // Never with the key of a private swarm: whoever sees the page would be in.
      const word = addresses.length === 0 ? null : invitation(door, false, null)
      return word === null ? null : { line: `grapevine join ${word}`, word, beyondThisMachine: !addresses.every(isLoopback) }
    },
    links: null,
    on: (listener) => around.on(listener),
    commands: {
      pause: () => peer.pause(),
      resume: () => peer.resume(),
      stop: () => around.stop(),
      checkpoint: () => around.checkpoint(),
      ban: async (id) => void (await banPeer(door, { peer: id, why: BANNED_HERE, seconds: null })),
    },
    watch: around.watch,
  }
}

/** This peer's own settings, without secrets. */
export function shownSettings({ run: _, ...local }: PeerSettings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(local).filter(([name]) => !SECRET.test(name)))
}
