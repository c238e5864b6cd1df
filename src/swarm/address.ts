/**
 * Addresses as a person writes them. Pure: no name is looked up, nothing is dialled.
 * Understood: a multiaddr over TCP with or without `/p2p/<peer id>`, and `host:port`, where host is an IPv4 address, an IPv6 address in
 * brackets, or a DNS name.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import type { NetworkErrorCode, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { peerIdBytes } from '../wire/peer-id.ts'

export interface Address {
  /** Multiaddr as text, without the peer id. */
  readonly target: string
  /** The identity that the address names, or null. */
  readonly peer: PeerId | null
}

const HOSTS = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])
const DNS_NAME = /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/

/** Throws `malformed` with a sentence that shows a right address. */
export function parseAddress(text: string): Address {
  const address = text.startsWith('/') ? fromMultiaddr(text) : fromHostAndPort(text)
  if (address === null) {
    throw new GrapevineError<NetworkErrorCode>(
      'malformed',
      'local',
      `"${text}" is not an address that can be dialled: write it like 192.0.2.7:4711 or /ip4/192.0.2.7/tcp/4711/p2p/12D3Koo..., as the other peer prints it.`,
      { address: text },
    )
  }
  return address
}

function fromMultiaddr(text: string): Address | null {
  const parts = components(text)
  if (parts === null) return null
  const [host, port, peer, ...rest] = parts
  if (host === undefined || !HOSTS.has(host.name) || port?.name !== 'tcp' || !isPort(port.value ?? '') || rest.length > 0) return null
  const target = `/${host.name}/${host.value}/tcp/${port.value}`
  if (peer === undefined) return { target, peer: null }
  return peer.name === 'p2p' && peerIdBytes(peer.value ?? '') !== null ? { target, peer: peer.value ?? null } : null
}

function components(text: string) {
  try {
    return multiaddr(text).getComponents()
  } catch {
    return null
  }
}

function fromHostAndPort(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, bracketed, plain, port = ''] = match
  if (!isPort(port)) return null
  if (bracketed !== undefined)
    return isIPv6(bracketed) && !bracketed.includes('%') ? { target: `/ip6/${bracketed}/tcp/${port}`, peer: null } : null
  if (plain === undefined) return null
  if (isIPv4(plain)) return { target: `/ip4/${plain}/tcp/${port}`, peer: null }
  // A name of digits and dots alone is a mistyped IPv4 address.
  return DNS_NAME.test(plain) && !/^[\d.]+$/.test(plain) ? { target: `/dns/${plain}/tcp/${port}`, peer: null } : null
}

/** A port of 0 is a wish of listeners, nothing to dial. */
function isPort(text: string): boolean {
  const port = Number(text)
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
