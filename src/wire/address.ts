/**
 * Addresses as people write them: a multiaddr over TCP, with or without a peer id, or HOST:PORT. Pure: nothing is looked up or dialled.
 *
 *   /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW...   /dns4/example.org/tcp/4001   192.168.1.5:4001   [::1]:4001
 *
 * A peer behind a relay has the relay's address, then its own identity: /ip4/203.0.113.9/tcp/4001/p2p/RELAY/p2p-circuit/p2p/PEER
 */
import type { PeerId } from '../ports/network.ts'
import { nearest } from '../util/nearest.ts'
import { peerIdBytes } from './peer-id.ts'

/** `listen`: an address of this machine, where port 0 means any free one; `dial`: somebody else's. */
export type AddressUse = 'dial' | 'listen'

/**
 * `target`: the multiaddr without the peer id; `peer`: the identity that the text names, or null.
 * `fault`: what is wrong and what was probably meant, to follow "... is no address: ".
 */
export type AddressVerdict = Address | { readonly fault: string }

/** `relay`: the address of the relay, with its identity, of a peer behind one; `target` then ends in /p2p-circuit and `peer` is named. */
export interface Address {
  readonly target: string
  readonly peer: PeerId | null
  readonly relay?: string
}

/** Does this address lead through a relay? */
export function isRelayed(address: string): boolean {
  return address.includes(CIRCUIT)
}

/** The peer id at the end of a multiaddr, or null where it names none. */
export function peerOf(multiaddr: string): PeerId | null {
  const at = multiaddr.lastIndexOf('/p2p/')
  return at < 0 ? null : multiaddr.slice(at + 5)
}

/** The multiaddr with `peer` at its end, unless it names one. */
export function withPeer(multiaddr: string, peer: PeerId): string {
  return multiaddr.includes('/p2p/') ? multiaddr : `${multiaddr}/p2p/${peer}`
}

/** The multiaddr of what was read, with the peer id where it is known. */
export function multiaddrOf({ target, peer }: Pick<Address, 'target' | 'peer'>): string {
  return peer === null ? target : `${target}/p2p/${peer}`
}

/** Of this machine only? */
export function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\//.test(address)
}

const CIRCUIT = '/p2p-circuit'

const HOST_KINDS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6']

/** Not misspellings: other ways to travel, which libp2p knows and Grapevine does not speak. */
const OTHER_TRANSPORTS = ['udp', 'quic', 'quic-v1', 'ws', 'wss', 'webrtc', 'webtransport', 'unix', 'memory']

export function readAddress(text: string, use: AddressUse): AddressVerdict {
  return text.startsWith('/') ? readMultiaddr(text, use) : readHostAndPort(text, use)
}

function readMultiaddr(text: string, use: AddressUse): AddressVerdict {
  const [kind = '', host = '', transport, port, ...rest] = text.slice(1).split('/')
  if (!HOST_KINDS.includes(kind)) return misspelt(text, kind, HOST_KINDS)
  if (!isHost(kind, host)) return { fault: `"${host}" is no ${kindName(kind)}` }
  if (transport === undefined || transport === '') return { fault: `it names no port; write ${text.replace(/\/+$/, '')}/tcp/PORT` }
  if (transport !== 'tcp') return misspelt(text, transport, ['tcp'])
  if (!isPort(port ?? '', use)) return { fault: portFault(port ?? '', use) }
  const target = `/${kind}/${host}/tcp/${port}`
  if (rest.length === 0) return { target, peer: null }
  if (rest.every((part) => part === '')) return { fault: `did you mean ${target}?` }
  if (use === 'listen') return { fault: `to listen, leave out what follows the port: ${target}` }
  const [p2p = '', id = '', ...more] = rest
  if (p2p !== 'p2p') return misspelt(text, p2p, ['p2p'])
  if (peerIdBytes(id) === null)
    return { fault: `"${id}" is no peer id; copy the whole line that the other peer printed, or leave out /p2p/...` }
  if (more.length === 0) return { target, peer: id }
  return `/${more[0]}` === CIRCUIT
    ? readCircuit(`${target}/p2p/${id}`, more.slice(1))
    : { fault: `something follows the peer id; did you mean ${target}/p2p/${id}?` }
}

/** What follows /p2p-circuit: who is behind the relay. */
function readCircuit(relay: string, rest: readonly string[]): AddressVerdict {
  const [p2p, id = '', ...more] = rest
  if (p2p !== 'p2p' || peerIdBytes(id) === null)
    return { fault: `it leads through a relay and does not say to whom; copy the whole line that the other peer printed` }
  if (more.length > 0) return { fault: `something follows the peer id; did you mean ${relay}${CIRCUIT}/p2p/${id}?` }
  if (relay.endsWith(`/${id}`)) return { fault: `it leads through a relay back to that relay; did you mean ${relay}?` }
  return { target: `${relay}${CIRCUIT}`, peer: id, relay }
}

function readHostAndPort(text: string, use: AddressUse): AddressVerdict {
  const [, site] = /^[a-z]+:\/\/([^/\s]+)/i.exec(text) ?? []
  if (site !== undefined) return { fault: `it is a link to a page; write ${site.includes(':') ? site : `${site}:PORT`}` }
  const [, plain, peer] = /^([^/]+)\/p2p\/([^/]+)$/.exec(text) ?? []
  const meant = plain === undefined ? null : readHostAndPort(plain, use)
  if (meant !== null && 'target' in meant) return { fault: `did you mean ${meant.target}/p2p/${peer}?` }
  const parts = /^(?:\[(?<six>[^\]]*)\]|(?<host>[^:]*)):(?<port>[^:]*)$/.exec(text)?.groups
  if (parts === undefined) {
    const [, six = '', last] = /^(.*):(\d{4,5})$/.exec(text) ?? []
    if (last !== undefined && isIp6(six))
      return { fault: `an IPv6 address before a port stands in brackets; did you mean [${six}]:${last}?` }
    if (isIp6(text)) return { fault: `it names no port; write [${text}]:PORT` }
    const host = isHost('ip4', text) || isHost('dns', text)
    return { fault: host ? `it names no port; write ${text}:PORT` : `write HOST:PORT or /ip4/HOST/tcp/PORT` }
  }
  const host = parts.six ?? parts.host ?? ''
  const kind = parts.six !== undefined ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns'
  if (!isHost(kind, host)) return { fault: `"${host}" is no ${kindName(kind)}` }
  if (!isPort(parts.port ?? '', use)) return { fault: portFault(parts.port ?? '', use) }
  return { target: `/${kind}/${host}/tcp/${parts.port}`, peer: null }
}

function misspelt(text: string, word: string, choices: readonly string[]): AddressVerdict {
  const [close] = choices.length === 1 ? choices : nearest(word, choices, 1)
  if (close !== undefined && word !== '' && !OTHER_TRANSPORTS.includes(word)) {
    return { fault: `did you mean ${text.replace(`/${word}`, `/${close}`)}?` }
  }
  return { fault: `after "/" comes ${choices.join(', ')}, not "${word}"; Grapevine speaks TCP, as in /ip4/127.0.0.1/tcp/4001` }
}

function isHost(kind: string, host: string): boolean {
  // Some programs read a leading zero as octal.
  if (kind === 'ip4') return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => isDecimal(part, 255))
  if (kind === 'ip6') return isIp6(host)
  // Labels of at most 63 characters, 253 in all (RFC 1035); the last is not a number, or it were an unfinished IPv4 address.
  const labels = host.replace(/\.$/, '').split('.')
  return host.length <= 253 && labels.every(isLabel) && !/^\d+$/.test(labels.at(-1) ?? '')
}

function isLabel(label: string): boolean {
  return /^[A-Za-z0-9_-]{1,63}$/.test(label) && !label.startsWith('-') && !label.endsWith('-')
}

/** Eight groups of up to four hex digits, one run of zero groups written `::`, the last two perhaps as IPv4 (RFC 4291, section 2.2). */
function isIp6(host: string): boolean {
  const sides = host.split('::')
  if (sides.length > 2 || host === '') return false
  const groups = sides.flatMap((side) => (side === '' ? [] : side.split(':')))
  const last = groups.at(-1) ?? ''
  const mixed = last.includes('.')
  if (mixed && !isHost('ip4', last)) return false
  const hex = mixed ? groups.slice(0, -1) : groups
  if (!hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false
  const count = hex.length + (mixed ? 2 : 0)
  return sides.length === 2 ? count <= 7 : count === 8
}

function isPort(text: string, use: AddressUse): boolean {
  return isDecimal(text, 65_535) && (use === 'listen' || text !== '0')
}

/** A whole number up to `max` as one writes it, without leading zeros. */
function isDecimal(text: string, max: number): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(text) && Number(text) <= max
}

function portFault(text: string, use: AddressUse): string {
  return `the port is a number from ${use === 'listen' ? 0 : 1} to 65535, not "${text}"`
}

function kindName(kind: string): string {
  return kind === 'ip4' ? 'IPv4 address' : kind === 'ip6' ? 'IPv6 address' : 'host name'
}
