/**
 * Dialling an address: connect, find out who is there, and say in one sentence what went wrong. Every outcome comes within
 * DIAL_TIMEOUT_MS plus PROBE_TIMEOUT_MS or IDENTIFY_TIMEOUT_MS; the identity need not be known beforehand.
 */
import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../ports/clock.ts'
import type { NetworkErrorCode, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { readAddress } from '../wire/address.ts'
import { type Admission, closeConnection, isDirect } from './admission.ts'
import { DIAL_TIMEOUT_MS, MAX_CONNECTIONS } from './limits.ts'
import { UnwelcomeError } from './node.ts'
import { Operation } from './operation.ts'
import { languageAt, NONCE_BYTES } from './probe.ts'
import { TransportDialError } from './transport.ts'

export interface Dialer {
  readonly node: Libp2p
  readonly self: PeerId
  readonly clock: Clock
  readonly admission: Admission
  readonly stopping: AbortSignal
  /** Is ours a private swarm? */
  readonly hasKey: boolean
  readonly admits: (peer: PeerId) => boolean
  /** Who was found at which target, so that dialling a connected peer by an address without its id costs nothing. */
  readonly found: Map<string, PeerId>
}

/** Throws GrapevineError with a NetworkErrorCode, or the reason of `signal`. */
export async function dial(dialer: Dialer, text: string, signal: AbortSignal): Promise<PeerId> {
  const address = readAddress(text, 'dial')
  if ('fault' in address) throw malformed(text, address.fault)
  const { target, peer } = address
  if (peer === dialer.self) throw selfError(text)
  if (peer !== null && !dialer.admits(peer)) throw unwelcome(text)
  const likely = peer ?? dialer.found.get(target)
  const isThere = (id: PeerId) => (address.relay === undefined ? dialer.admission.hasDirect(id) : dialer.admission.has(id))
  if (likely !== undefined && isThere(likely)) return likely
  const before = new Set(dialer.node.getConnections())
  if (before.size >= MAX_CONNECTIONS) {
    const message = `${text} was not dialled: this peer has its ${MAX_CONNECTIONS} connections already.`
    throw new GrapevineError<NetworkErrorCode>('refused', 'local', message, { address: text })
  }
  if (address.relay !== undefined) await reachRelay(dialer, address.relay, text, signal)
  const operation = new Operation(dialer.clock, signal, dialer.stopping)
  const deadline = operation.deadline(DIAL_TIMEOUT_MS, () => silentError(text))
  try {
    const connection =
      address.relay === undefined
        ? await connect(dialer, target, text, operation).catch((error: unknown) => secondLook(dialer, target, text, signal, error))
        : await connectThrough(dialer, `${target}/p2p/${peer}`, text, operation)
    deadline.cancel()
    const found = connection.remotePeer.toString()
    if (peer !== null && found !== peer) {
      if (!before.has(connection)) await closeConnection(connection, dialer.clock)
      throw new GrapevineError<NetworkErrorCode>(
        'wrong_peer',
        'network',
        `${target} is answered by peer ${found}, not by ${peer}: the peer meant has probably moved or has a new identity.`,
        { found },
      )
    }
    // Only connections from before this dial count: when both sides dial at once, each must not close the other's.
    // One through a relay is no reason to close a direct one.
    const inItsPlace = (older: Connection) => before.has(older) && older.status === 'open' && (isDirect(older) || !isDirect(connection))
    if (!before.has(connection) && dialer.admission.connections(found).some(inItsPlace)) {
      await closeConnection(connection, dialer.clock)
    } else {
      const refusal = await operation.race(dialer.admission.verdict(connection))
      if (refusal !== null) throw refusal
    }
    if (address.relay === undefined) remember(dialer.found, target, found)
    return found
  } finally {
    operation.end()
  }
}

function remember(known: Map<string, PeerId>, target: string, peer: PeerId): void {
  known.delete(target)
  for (const [oldest] of known) {
    if (known.size < MAX_CONNECTIONS) break
    known.delete(oldest)
  }
  known.set(target, peer)
}

async function reachRelay(dialer: Dialer, relay: string, text: string, signal: AbortSignal): Promise<void> {
  try {
    await dial(dialer, relay, signal)
  } catch (error) {
    if (!(error instanceof GrapevineError)) throw error
    const message = `The relay of ${text} was not reached: ${error.message}`
    throw new GrapevineError(error.code as NetworkErrorCode, error.fault, message, { ...error.data, address: text })
  }
}

/** `target`: the whole address, through a relay to which there is a connection. */
async function connectThrough(dialer: Dialer, target: string, text: string, operation: Operation): Promise<Connection> {
  try {
    return await operation.race(dialer.node.dial(multiaddr(target), { signal: operation.signal }))
  } catch (error) {
    if (operation.signal.aborted) throw operation.signal.reason
    throw notThrough(error, text)
  }
}

/** Why a relay that was reached did not lead to the peer behind it. */
function notThrough(error: unknown, text: string): GrapevineError<NetworkErrorCode> {
  const cause = String(error)
  const name = error instanceof Error ? error.name : ''
  const why =
    name === 'UnsupportedProtocolError'
      ? 'the peer there is no relay (one is started with --relay)'
      : cause.includes('NO_RESERVATION')
        ? 'the peer meant has no place there: it is gone, or has moved to another relay'
        : cause.includes('PERMISSION_DENIED')
          ? 'the relay does not let these two meet'
          : 'the peer behind it did not answer'
  const message = `${text} was not reached, although its relay was: ${why}; ask for another address.`
  return new GrapevineError('refused', 'network', message, { address: text, cause: cause.slice(0, 300) })
}

async function connect(dialer: Dialer, target: string, text: string, operation: Operation): Promise<Connection> {
  try {
    // Without the peer id: libp2p would only say that the handshake failed, not who answered.
    return await operation.race(dialer.node.dial(multiaddr(target), { signal: operation.signal }))
  } catch (error) {
    if (operation.signal.aborted) throw operation.signal.reason
    throw explain(error, text, dialer.hasKey)
  }
}

/** Rethrows `error`, or says that another protocol is spoken there. */
async function secondLook(dialer: Dialer, target: string, text: string, signal: AbortSignal, error: unknown): Promise<never> {
  const toldNothing = error instanceof GrapevineError && (error.code === 'timeout' || error.data.heardBytes !== undefined)
  if (!toldNothing || signal.aborted || dialer.stopping.aborted) throw error
  const language = await languageAt(target, dialer.clock, signal, dialer.stopping)
  if (language !== 'silent' && dialer.hasKey) throw keyError(text, language === 'libp2p' ? PUBLIC : ANOTHER_KEY, error.data)
  if (language === 'private') throw keyError(text, PRIVATE, error.data)
  throw language === 'other' ? otherNetwork(text, error.data) : error
}

/** What a failed dial means, from how far it came. Exported for its test. */
export function explain(error: unknown, text: string, hasKey: boolean): GrapevineError<NetworkErrorCode> {
  const failure = error instanceof TransportDialError ? error : null
  const cause = failure?.cause ?? error
  const name = cause instanceof Error ? cause.name : ''
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : name
  const data = { address: text, cause: String(cause).slice(0, 300) }
  if (name === 'InvalidPeerIdError') return selfError(text)
  if (cause instanceof UnwelcomeError) return unwelcome(text)
  if (name === 'TimeoutError' || name === 'AbortError' || code === 'ETIMEDOUT') return silentError(text)
  if (failure === null) {
    return new GrapevineError('refused', 'network', `${text} could not be dialled (${code || 'unknown reason'}).`, data)
  }
  // Who is full resets the connection before it says anything.
  if (failure.heard === 0 || (failure.heard === null && code === 'ECONNRESET')) {
    return new GrapevineError(
      'refused',
      'network',
      `${text} accepted the connection and closed it without a word: it is full, or it is not Grapevine.`,
      { ...data, heardBytes: 0 },
    )
  }
  if (failure.heard === null) {
    const why =
      code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? 'no machine has this name'
        : code === 'ECONNREFUSED'
          ? 'nobody listens there'
          : `the machine cannot be reached (${code || 'unknown reason'})`
    return new GrapevineError(
      'refused',
      'network',
      `${text} refused the connection: ${why}. Is the other peer running, and is the address right?`,
      data,
    )
  }
  if (hasKey && failure.heard >= NONCE_BYTES) return keyError(text, ANOTHER_KEY, data)
  return otherNetwork(text, failure.heard === NONCE_BYTES ? { ...data, heardBytes: NONCE_BYTES } : data)
}

const PRIVATE =
  'belongs to a private swarm: get the key of that swarm from its owner (--swarm-key FILE), or an invitation made with invite --with-key'
const ANOTHER_KEY = 'does not understand us: its swarm has another key than the one given here, or it is no Grapevine peer at all'
const PUBLIC = 'belongs to a swarm without a key: leave out --swarm-key'

function keyError(text: string, what: string, data: Readonly<Record<string, unknown>>): GrapevineError<NetworkErrorCode> {
  return new GrapevineError('swarm_key', 'network', `The peer at ${text} ${what}.`, data)
}

/** We ourselves do not want to speak to it. */
function unwelcome(text: string): GrapevineError<NetworkErrorCode> {
  const message = `The peer at ${text} is banned here or not on the allow-list given here; see grapevine peers, or add its id to that list.`
  return new GrapevineError('unwelcome', 'network', message, { address: text })
}

function otherNetwork(text: string, data: Readonly<Record<string, unknown>>): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(
    'other_network',
    'network',
    `The program at ${text} does not speak libp2p; check the address and the port.`,
    data,
  )
}

function malformed(text: string, fault: string): GrapevineError<NetworkErrorCode> {
  const message = `"${text}" is no address to dial: ${fault}${fault.endsWith('?') ? '' : '.'}`
  return new GrapevineError('malformed', 'local', message, { address: text })
}

function silentError(text: string): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(
    'timeout',
    'network',
    `${text} did not answer within ${DIAL_TIMEOUT_MS / 1_000} s; check the address and any firewall between.`,
    {
      address: text,
    },
  )
}

function selfError(text: string): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(
    'self',
    'local',
    `${text} is this very peer, or one that runs with a copy of its data folder: give the address of another one, or a folder of its own (--data-dir).`,
    { address: text },
  )
}
