/** What the commands about peers do to a running peer: list them, keep one out, let it in again. */
import type { PeerRow } from '../observe/peers-text.ts'
import type { Network, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { peerIdBytes } from '../wire/peer-id.ts'
import type { Bans } from './bans.ts'
import { MAX_BAN_SECONDS, MAX_BAN_WHY, MIN_PEER_SUFFIX } from './limits.ts'
import type { Peer } from './peer.ts'

export interface Doorkeeper {
  readonly peer: Peer
  readonly network: Network
  readonly bans: Bans
}

/** Everyone known or banned. */
export function listPeers({ peer, network, bans }: Doorkeeper): readonly PeerRow[] {
  const connected = new Map(network.peers().map(({ id, addresses }) => [id, addresses]))
  const banned = new Map(bans.list().map(({ peer: id, ...ban }) => [id, ban]))
  const known = peer.authors.values().map(
    (author): PeerRow => ({
      id: author.id,
      state: banned.has(author.id) ? 'banned' : author.state,
      addresses: connected.get(author.id) ?? author.beacon?.addresses ?? [],
      steps: author.beacon?.steps ?? null,
      returnMean: author.beacon?.returnMean ?? null,
      mixes: author.mixes,
      refused: Object.fromEntries(author.refusals),
      ban: banned.get(author.id) ?? null,
    }),
  )
  const ids = new Set(known.map(({ id }) => id))
  const strangers = [...banned].filter(([id]) => !ids.has(id))
  return [
    ...known,
    ...strangers.map(
      ([id, ban]): PeerRow => ({ id, state: 'banned', addresses: [], steps: null, returnMean: null, mixes: 0, refused: {}, ban }),
    ),
  ]
}

/** Hangs up and keeps it out. `request` is not judged yet: `peer` (an id or its end), `why`, `seconds` or null. */
export async function banPeer(door: Doorkeeper, request: Readonly<Record<string, unknown>>): Promise<{ readonly peer: PeerId }> {
  const { why, seconds } = request
  const id = meant(door, request.peer)
  if (id === door.network.id) throw usage('A peer cannot ban itself; give the id of another one.')
  if (typeof why !== 'string' || why.length > MAX_BAN_WHY) throw usage(`--why is a text of at most ${MAX_BAN_WHY} characters.`)
  if (seconds !== null && !(typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0 && seconds <= MAX_BAN_SECONDS)) {
    throw usage(`--for is a time of at most ${MAX_BAN_SECONDS / 86_400} days; leave it out for a ban without an end.`)
  }
  await door.bans.ban(id, why, seconds)
  door.peer.shutOut(id)
  await door.network.hangUp(id)
  return { peer: id }
}

export async function unbanPeer(door: Doorkeeper, request: Readonly<Record<string, unknown>>): Promise<{ readonly peer: PeerId }> {
  const id = meant(door, request.peer)
  if (!(await door.bans.lift(id))) throw usage(`Peer ${id} is not banned.`)
  return { peer: id }
}

/** The peer whose id is `text` or ends in it. */
function meant(door: Doorkeeper, text: unknown): PeerId {
  if (typeof text !== 'string') throw usage('No peer was named.')
  if (peerIdBytes(text) !== null) return text
  const ending = text.replace(/^\.+/, '')
  const matches = ending.length < MIN_PEER_SUFFIX ? [] : listPeers(door).filter(({ id }) => id.endsWith(ending))
  const [only, ...others] = matches
  if (only === undefined || others.length > 0) {
    const what = only === undefined ? 'No peer is' : `${matches.length} peers are`
    throw usage(`${what} known by an id that ends in "${text}"; give the whole id, as grapevine peers prints it.`)
  }
  return only.id
}

function usage(message: string): GrapevineError {
  return new GrapevineError('usage', 'local', message)
}
