/** The word with which others join a running peer: the addresses under which it can be reached, then one each of two others, should it be gone. */
import { GrapevineError } from '../util/errors.ts'
import { isLoopback, peerOf, readAddress } from '../wire/address.ts'
import { encodeInvitation } from '../wire/invitation.ts'
import { MAX_INVITATION_ADDRESSES } from '../wire/limits.ts'
import type { Doorkeeper } from './keeping-out.ts'

/** Other peers named beside the own. */
const OTHER_PEERS = 2

/** `swarmKey` is put in only `withKey`. Throws `no_swarm_key`. */
export function invitation({ peer, network }: Doorkeeper, withKey: boolean, swarmKey: Uint8Array | null): string {
  if (withKey && swarmKey === null) throw new GrapevineError('no_swarm_key', 'local', 'This swarm has no key: leave out --with-key.')
  const addresses = inviting(network.addresses(), peer.addressBook())
  return encodeInvitation({ run: peer.run.id, addresses, swarmKey: withKey ? swarmKey : null })
}

/** Loopback addresses are left out where there are others: they lead nowhere on another machine. */
function inviting(own: readonly string[], known: readonly string[]): readonly string[] {
  const mine = reachable(own)
  const self = new Set(own.map(peerOf))
  const onlyHere = mine.every(isLoopback)
  const byPeer = new Map<string, string>()
  for (const address of known) {
    const peer = peerOf(address)
    if (peer === null || self.has(peer) || byPeer.has(peer) || (isLoopback(address) && !onlyHere)) continue
    if ('fault' in readAddress(address, 'dial')) continue
    byPeer.set(peer, address)
  }
  const others = [...byPeer.values()].slice(0, OTHER_PEERS)
  return [...mine.slice(0, MAX_INVITATION_ADDRESSES - others.length), ...others]
}

function reachable(addresses: readonly string[]): readonly string[] {
  const usable = addresses.filter((address) => !('fault' in readAddress(address, 'dial')))
  const beyond = usable.filter((address) => !isLoopback(address))
  return beyond.length > 0 ? beyond : usable
}
