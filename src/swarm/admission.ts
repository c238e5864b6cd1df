/**
 * Who is connected. Every new connection, in either direction, first exchanges agent versions (identify); one that is not Grapevine of our
 * major version is closed again. Only admitted peers are listed, served and announced to `onPeer` listeners.
 */
import type { Identify } from '@libp2p/identify'
import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { NetworkErrorCode, PeerChange, PeerId, RemotePeer } from '../ports/network.ts'
import { asError, GrapevineError } from '../util/errors.ts'
import { withPeer } from '../wire/address.ts'
import { CLOSE_TIMEOUT_MS, IDENTIFY_LATE_MS, IDENTIFY_TIMEOUT_MS, MAX_ADDRESSES_PER_PEER, TWIN_ANSWER_MS } from './limits.ts'
import { Operation } from './operation.ts'

/** A libp2p node whose identify runs only when it is called. */
type Identifying = Libp2p<{ identify: Identify }>

/** What the other side's agent version means for us: null when we can talk, else why not. */
export function judgeAgent(theirs: string | undefined, ours: string): GrapevineError<NetworkErrorCode> | null {
  const version = /^grapevine\/(\d{1,6})\.(\d{1,6})$/.exec(theirs ?? '')
  const own = /^grapevine\/(\d+)\.(\d+)$/.exec(ours)
  if (version === null) {
    return new GrapevineError(
      'other_network',
      'network',
      'The program at this address speaks libp2p but is not Grapevine; check the address.',
      {
        agent: (theirs ?? '').slice(0, 100),
      },
    )
  }
  if (version[1] === own?.[1]) return null
  const [there, here] = [`${version[1]}.${version[2]}`, `${own?.[1]}.${own?.[2]}`]
  return new GrapevineError(
    'protocol_version',
    'network',
    `protocol ${there} there, ${here} here; one of the two needs the other's version.`,
    {
      there,
      here,
    },
  )
}

interface Entry {
  /** And where its peer said that it listens. */
  readonly connections: Map<Connection, readonly string[]>
  readonly addresses: Set<string>
}

export class Admission {
  readonly #node: Identifying
  readonly #clock: Clock
  readonly #log: Log
  readonly #agent: string
  readonly #self: PeerId
  readonly #stopping: AbortSignal
  /** Settled for every connection that was ever opened; null: admitted. */
  readonly #verdicts = new WeakMap<Connection, Promise<GrapevineError<NetworkErrorCode> | null>>()
  readonly #peers = new Map<PeerId, Entry>()
  readonly #listeners: ReadonlySet<(change: PeerChange) => void>
  readonly #onAdmitted: (connection: Connection, result: IdentifyResult) => void

  constructor(options: {
    node: Identifying
    clock: Clock
    log: Log
    agent: string
    self: PeerId
    stopping: AbortSignal
    listeners: ReadonlySet<(change: PeerChange) => void>
    /** Told of every connection that is admitted. */
    onAdmitted: (connection: Connection, result: IdentifyResult) => void
  }) {
    this.#onAdmitted = options.onAdmitted
    this.#node = options.node
    this.#clock = options.clock
    this.#log = options.log
    this.#agent = options.agent
    this.#self = options.self
    this.#stopping = options.stopping
    this.#listeners = options.listeners
    this.#node.addEventListener('connection:open', (event) => void this.verdict(event.detail))
    this.#node.addEventListener('connection:close', (event) => this.#closed(event.detail))
  }

  /** Resolves once the connection is judged: null when admitted, else why it was closed. Never rejects. */
  verdict(connection: Connection): Promise<GrapevineError<NetworkErrorCode> | null> {
    let verdict = this.#verdicts.get(connection)
    if (verdict === undefined) {
      verdict = this.#judge(connection)
      this.#verdicts.set(connection, verdict)
    }
    return verdict
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer)
  }

  /** Not only through a relay. */
  hasDirect(peer: PeerId): boolean {
    return this.connections(peer).some(isDirect)
  }

  connections(peer: PeerId): readonly Connection[] {
    return [...(this.#peers.get(peer)?.connections.keys() ?? [])]
  }

  peers(): readonly RemotePeer[] {
    return [...this.#peers].map(([id, entry]) => ({ id, addresses: [...entry.addresses], ...reachOf(entry) }))
  }

  async #judge(connection: Connection): Promise<GrapevineError<NetworkErrorCode> | null> {
    const operation = new Operation(this.#clock, this.#stopping)
    const startMs = this.#clock.now()
    operation.deadline(
      IDENTIFY_TIMEOUT_MS,
      () =>
        new GrapevineError<NetworkErrorCode>(
          'timeout',
          'network',
          `The peer at this address did not say who it is within ${IDENTIFY_TIMEOUT_MS / 1_000} s; try again, or check the address.`,
        ),
    )
    try {
      const result = await operation.race(this.#node.services.identify.identify(connection, { signal: operation.signal }))
      const refusal = judgeAgent(result.agentVersion, this.#agent) ?? (await this.#judgeTwin(connection, result))
      if (refusal === null) this.#admit(connection, result)
      else await this.#refuse(connection, refusal)
      return refusal
    } catch (error) {
      const refusal =
        operation.signal.aborted && operation.signal.reason instanceof GrapevineError
          ? operation.signal.reason
          : connection.status === 'open' && !brokeOff(error)
            ? notGrapevine(error)
            : brokenOff(this.#self, this.#clock.now() - startMs, error)
      await this.#refuse(connection, refusal)
      return refusal
    } finally {
      operation.end()
    }
  }

  /**
   * Two processes with one identity: libp2p takes them for one peer, and neither would be heard well. Who was here first stays, unless it answers no
   * more. One process that connects twice, as when both sides dial, listens at the same addresses.
   */
  async #judgeTwin(connection: Connection, result: IdentifyResult): Promise<GrapevineError<NetworkErrorCode> | null> {
    const id = connection.remotePeer.toString()
    const here = new Set(result.listenAddrs.map(String))
    const isAnother = (addresses: readonly string[]) => addresses.length > 0 && !addresses.some((address) => here.has(address))
    const earlier = [...(this.#peers.get(id)?.connections ?? [])].filter(([{ status }]) => status === 'open')
    const others = earlier.filter(([, addresses]) => isAnother(addresses)).map(([other]) => other)
    if (here.size === 0 || others.length === 0) return null
    const answers = await Promise.all(others.map((other) => this.#answers(other)))
    if (answers.includes(true)) {
      return new GrapevineError('refused', 'peer', `Another process with the identity ${id} is connected already.`, { peer: id })
    }
    for (const other of others) other.abort(new Error('silent, and its peer is back'))
    // Gossip opens its stream when a peer says who it is: it had one, which is gone.
    await this.#answers(connection)
    // Yet another one may have come meanwhile.
    return this.#judgeTwin(connection, result)
  }

  /** Whether the other side of a connection says who it is once more. Never rejects. */
  async #answers(connection: Connection): Promise<boolean> {
    const operation = new Operation(this.#clock, this.#stopping)
    operation.deadline(TWIN_ANSWER_MS, () => new Error('silent'))
    try {
      await operation.race(this.#node.services.identify.identify(connection, { signal: operation.signal }))
      return true
    } catch {
      return false
    } finally {
      operation.end()
    }
  }

  #admit(connection: Connection, result: IdentifyResult): void {
    if (connection.status !== 'open') return
    const id = connection.remotePeer.toString()
    let entry = this.#peers.get(id)
    const isNew = entry === undefined
    if (entry === undefined) {
      entry = { connections: new Map(), addresses: new Set() }
      this.#peers.set(id, entry)
    }
    const announced = result.listenAddrs.map((address) => address.toString())
    entry.connections.set(connection, announced)
    const reached = connection.direction === 'outbound' ? [connection.remoteAddr.toString()] : []
    for (const address of [...reached, ...announced]) {
      if (entry.addresses.size >= MAX_ADDRESSES_PER_PEER) break
      entry.addresses.add(withPeer(address, id))
    }
    if (isNew) this.#announce({ id, state: 'connected' })
    if (isDirect(connection)) this.#leaveRelays(entry)
    this.#onAdmitted(connection, result)
  }

  /** A direct connection makes relayed ones needless. */
  #leaveRelays({ connections }: Entry): void {
    for (const connection of connections.keys()) if (!isDirect(connection)) void closeConnection(connection, this.#clock)
  }

  async #refuse(connection: Connection, reason: GrapevineError): Promise<void> {
    this.#log.debug('connection refused', { peer: connection.remotePeer.toString(), code: reason.code })
    await closeConnection(connection, this.#clock)
  }

  #closed(connection: Connection): void {
    const id = connection.remotePeer.toString()
    const entry = this.#peers.get(id)
    if (entry === undefined || !entry.connections.delete(connection) || entry.connections.size > 0) return
    this.#peers.delete(id)
    this.#announce({ id, state: 'disconnected' })
  }

  #announce(change: PeerChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        this.#log.error('a listener for peers failed', { error: String(error) })
      }
    }
  }
}

/** A connection through a relay is limited. */
export function isDirect(connection: Connection): boolean {
  return connection.limits === undefined
}

function reachOf({ connections }: Entry): Pick<RemotePeer, 'observed' | 'relayed'> {
  const direct = [...connections.keys()].find(isDirect)
  return direct === undefined ? { relayed: true } : { observed: direct.remoteAddr.toString() }
}

function brokeOff(error: unknown): boolean {
  return (
    error instanceof Error && ['UnexpectedEOFError', 'StreamResetError', 'StreamStateError', 'ConnectionClosedError'].includes(error.name)
  )
}

/** Who we are is the last that it heard of us, or what it did not hear in time. */
function brokenOff(self: PeerId, waitedMs: number, error: unknown): GrapevineError<NetworkErrorCode> {
  if (waitedMs >= IDENTIFY_LATE_MS) {
    return new GrapevineError(
      'timeout',
      'network',
      `The peer at this address hung up after ${Math.round(waitedMs / 1_000)} s without having heard who we are: it, or this machine, is too busy; try again in a moment.`,
      { waitedMs, cause: String(error) },
    )
  }
  return new GrapevineError(
    'not_admitted',
    'network',
    `The peer at this address closed the connection as soon as it knew who we are: it is leaving, or we are banned there or not on its allow-list, or another peer that runs on a copy of our data folder is connected to it already. Our peer id, for its owner: ${self}`,
    { cause: String(error) },
  )
}

function notGrapevine(error: unknown): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(
    'other_network',
    'network',
    'The program at this address does not say who it is, as every Grapevine peer does; check the address.',
    {
      cause: String(error),
    },
  )
}

/** Says goodbye, or breaks off when that takes too long. Never rejects. */
export async function closeConnection(connection: Connection, clock: Clock): Promise<void> {
  const operation = new Operation(clock)
  operation.deadline(CLOSE_TIMEOUT_MS, () => new Error('closing took too long'))
  try {
    await operation.race(connection.close({ signal: operation.signal }))
  } catch (error) {
    connection.abort(asError(error))
  } finally {
    operation.end()
  }
}
