/** Where an address lies: its address and subnet as quotas count them, and whether it is public. Pure. */

export interface AddressRange {
  /** IPv4 address, or the /64 of IPv6, which one customer has. */
  readonly address: string
  /** The /24 of IPv4, the /48 of IPv6. */
  readonly subnet: string
  /** False for private, loopback, link-local and shared ranges. [RFC 1918, 4193, 4291, 6598] */
  readonly isPublic: boolean
}

/** Of a multiaddr that begins with an IP address; null for any other, a relayed one too: it says where the relay is. */
export function networkOf(multiaddr: string): AddressRange | null {
  const [, kind, host] = multiaddr.split('/')
  if (host === undefined || multiaddr.includes('/p2p-circuit')) return null
  if (kind === 'ip4') return ip4(host)
  const groups = kind === 'ip6' ? expanded(host) : null
  if (groups === null) return null
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (mapped) return ip4([groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.'))
  const part = (count: number) =>
    groups
      .slice(0, count)
      .map((group) => group.toString(16))
      .join(':')
  const first = groups[0]!
  const loopback = groups.slice(0, 7).every((group) => group === 0) && groups[7]! <= 1
  const isPublic = !loopback && (first & 0xfe00) !== 0xfc00 && (first & 0xffc0) !== 0xfe80
  return { address: `${part(4)}::/64`, subnet: `${part(3)}::/48`, isPublic }
}

function ip4(host: string): AddressRange | null {
  const bytes = host.split('.').map(Number)
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) return null
  const [a = 0, b = 0] = bytes
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)
  const isLocal = a === 127 || a === 0 || (a === 169 && b === 254)
  return { address: host, subnet: `${bytes.slice(0, 3).join('.')}.0/24`, isPublic: !isPrivate && !isLocal }
}

/** The eight groups of an IPv6 address; null for any other text. */
function expanded(host: string): number[] | null {
  const [head = '', tail, ...more] = host.split('::')
  if (more.length > 0) return null
  const read = (side: string) => (side === '' ? [] : side.split(':').flatMap(group))
  const before = read(head)
  const after = tail === undefined ? [] : read(tail)
  const zeros = 8 - before.length - after.length
  if (tail === undefined ? zeros !== 0 : zeros < 1) return null
  const groups = [...before, ...new Array<number>(zeros).fill(0), ...after]
  return groups.every((value) => value >= 0 && value <= 0xffff) ? groups : null
}

/** One group, or two where the last is written as IPv4. */
function group(text: string): number[] {
  const bytes = text.split('.').map(Number)
  if (bytes.length === 4) return [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!]
  return [/^[0-9a-fA-F]{1,4}$/.test(text) ? Number.parseInt(text, 16) : -1]
}
