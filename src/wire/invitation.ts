/**
 * An invitation: all that a joiner needs, as one word that fits into a chat message. `grapevine:` and, in base64url: version, flags, run id
 * (32 bytes), perhaps the swarm key (32), the public keys of the peers named, their addresses, and the first four bytes of the SHA-256 of
 * all that, so that a paste that lost or changed a character is noticed.
 */
import { fromString } from 'uint8arrays/from-string'
import { toString as asText } from 'uint8arrays/to-string'
import { GrapevineError } from '../util/errors.ts'
import { sha256 } from '../util/sha256.ts'
import { multiaddrOf, readAddress } from './address.ts'
import { Reader, Writer } from './binary.ts'
import {
  INVITATION_CHECK_BYTES,
  MAX_ADDRESS_CHARACTERS,
  MAX_INVITATION_ADDRESSES,
  MAX_INVITATION_CHARACTERS,
  SWARM_KEY_BYTES,
} from './limits.ts'
import { PEER_ID_BYTES, peerIdBytes, peerIdText } from './peer-id.ts'

export interface Invitation {
  /** Run id, hex. */
  readonly run: string
  /** Multiaddrs, with or without a peer id, best first. */
  readonly addresses: readonly string[]
  /** The key of a private swarm; whoever has it may enter. */
  readonly swarmKey: Uint8Array | null
}

const PREFIX = 'grapevine:'
const VERSION = 1
const HAS_KEY = 1
const RUN_BYTES = 32
const KEY_BYTES = 32

/** Four bytes and a port. */
const IP4 = 1
/** The multiaddr as text, behind its length. */
const TEXT = 2

/** Is this meant to be an invitation, perhaps one that lost a part of itself? */
export function looksLikeInvitation(text: string): boolean {
  const word = text.replace(/\s/g, '')
  return /^grapevine:/i.test(word) || /^([a-z]{0,9}:)?[A-Za-z0-9_-]{64,}$/.test(word)
}

/** Addresses beyond MAX_INVITATION_ADDRESSES are left out. Throws `bad_address` (fault local) for one that cannot be dialled. */
export function encodeInvitation({ run, addresses, swarmKey }: Invitation): string {
  const kept = addresses.slice(0, MAX_INVITATION_ADDRESSES).map(parts)
  const peers = [...new Set(kept.flatMap(({ peer }) => (peer === null ? [] : [peer])))]
  const bodies = kept.map(({ target }) => encodeTarget(target))
  const length =
    3 +
    RUN_BYTES +
    (swarmKey === null ? 0 : SWARM_KEY_BYTES) +
    peers.length * KEY_BYTES +
    1 +
    bodies.reduce((sum, b) => sum + 1 + b.length, 0)
  const writer = new Writer(length)
  writer.u8(VERSION)
  writer.u8(swarmKey === null ? 0 : HAS_KEY)
  writer.set(fromString(run, 'base16'))
  if (swarmKey !== null) writer.set(swarmKey)
  writer.u8(peers.length)
  // The constant beginning of every Ed25519 peer id is left out.
  for (const peer of peers) writer.set(peerIdBytes(peer)!.subarray(PEER_ID_BYTES - KEY_BYTES))
  writer.u8(kept.length)
  for (const [i, { peer }] of kept.entries()) {
    writer.u8(peer === null ? 0 : 1 + peers.indexOf(peer))
    writer.set(bodies[i]!)
  }
  const check = sha256(writer.bytes).subarray(0, INVITATION_CHECK_BYTES)
  return PREFIX + asText(Buffer.concat([writer.bytes, check]), 'base64url')
}

/** Throws `bad_invitation` (fault local), saying what to do about it. White space is ignored. */
export function decodeInvitation(text: string): Invitation {
  const word = text.replace(/\s/g, '')
  if (word.length > MAX_INVITATION_CHARACTERS)
    throw mangled(`it has ${word.length} characters, and the longest has ${MAX_INVITATION_CHARACTERS}`)
  if (!word.toLowerCase().startsWith(PREFIX)) throw mangled(`its beginning, "${PREFIX}", is missing`)
  const bytes = decodeBase64(word.slice(PREFIX.length))
  if (bytes.length <= INVITATION_CHECK_BYTES) throw mangled('nothing follows its beginning')
  if (bytes[0]! > VERSION) throw new GrapevineError('bad_invitation', 'local', NEWER)
  const content = bytes.subarray(0, -INVITATION_CHECK_BYTES)
  const check = sha256(content)
  if (bytes.subarray(-INVITATION_CHECK_BYTES).some((byte, i) => byte !== check[i]))
    throw mangled('some of its characters are lost or changed')
  const reader = new Reader(content, mangled)
  if (reader.u8() !== VERSION) throw mangled('it has no version')
  const flags = reader.u8()
  if (flags > HAS_KEY) throw mangled('it has unknown flags')
  const run = asText(reader.bytes(RUN_BYTES), 'base16')
  const swarmKey = (flags & HAS_KEY) === 0 ? null : reader.bytes(SWARM_KEY_BYTES).slice()
  const peers = readList(reader, () => readPeer(reader))
  const addresses = readList(reader, () => readOne(reader, peers))
  reader.end()
  if (addresses.length === 0) throw mangled('it names no address')
  return { run, addresses, swarmKey }
}

const NEWER = 'This invitation was made by a newer version of Grapevine; install that version, or ask for the address of a peer instead.'

function parts(address: string): { readonly target: string; readonly peer: string | null } {
  const read = readAddress(address, 'dial')
  if ('fault' in read) throw new GrapevineError('bad_address', 'local', `${address} cannot be put into an invitation: ${read.fault}.`)
  return read
}

function encodeTarget(target: string): Uint8Array {
  const [, a, b, c, d, port] = /^\/ip4\/(\d+)\.(\d+)\.(\d+)\.(\d+)\/tcp\/(\d+)$/.exec(target) ?? []
  if (port !== undefined) return Uint8Array.of(IP4, Number(a), Number(b), Number(c), Number(d), Number(port) >> 8, Number(port) & 255)
  return Uint8Array.of(TEXT, target.length, ...Buffer.from(target, 'latin1'))
}

function readOne(reader: Reader, peers: readonly string[]): string {
  const index = reader.u8()
  const peer = index === 0 ? null : peers[index - 1]
  if (peer === undefined) throw mangled('an address is of a peer that it does not name')
  const kind = reader.u8()
  if (kind !== IP4 && kind !== TEXT) throw mangled('it has an address of an unknown kind')
  const target = kind === IP4 ? readIp4(reader) : reader.ascii(reader.u8())
  const address = multiaddrOf({ target, peer })
  const read = readAddress(address, 'dial')
  if ('fault' in read || address.length > MAX_ADDRESS_CHARACTERS || !address.startsWith('/'))
    throw mangled('it has an address that cannot be dialled')
  return address
}

function readIp4(reader: Reader): string {
  const [a, b, c, d, high, low] = reader.bytes(6)
  return `/ip4/${a}.${b}.${c}.${d}/tcp/${high! * 256 + low!}`
}

function readPeer(reader: Reader): string {
  const id = peerIdText(Buffer.concat([ED25519_PREFIX, reader.bytes(KEY_BYTES)]))
  if (id === null) throw mangled('it names a peer that cannot be')
  return id
}

/** What precedes the key in the bytes of an Ed25519 peer id. */
const ED25519_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

function readList<T>(reader: Reader, one: () => T): T[] {
  const length = reader.u8()
  if (length > MAX_INVITATION_ADDRESSES) throw mangled(`it names more than ${MAX_INVITATION_ADDRESSES} addresses`)
  return Array.from({ length }, one)
}

/** uint8arrays decodes leftover bits silently; one invitation has one text. */
function decodeBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw mangled('it has characters that do not belong there')
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'))
  if (asText(bytes, 'base64url') !== text) throw mangled('some of its characters are lost or changed')
  return bytes
}

function mangled(problem: string): GrapevineError<'bad_invitation'> {
  return new GrapevineError(
    'bad_invitation',
    'local',
    `This invitation is mangled: ${problem}; copy the whole word again, from "${PREFIX}" to its end.`,
  )
}
