/**
 * TCP for libp2p, watched: bytes of all sockets are counted, and a dial that fails says how far it came.
 * Counted is what passes the sockets in both directions (handshakes, encryption and multiplexing included; TCP and IP headers not), from the
 * moment a socket is connected.
 */
import type { Connection, DialTransportOptions, MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { type TCPComponents, tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NetworkCounters } from '../ports/network.ts'
import { LISTEN_BACKLOG, SOCKET_SILENCE_MS } from './limits.ts'

/** A dial that failed. `heard`: bytes that came from the other side; null when there was no connection at all. */
export class TransportDialError extends Error {
  readonly heard: number | null

  constructor(cause: unknown, heard: number | null) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'TransportDialError'
    this.heard = heard
  }
}

/** The part of a socket that is read here. libp2p's TCP connections hold theirs in the field `socket`; nothing public leads to it. */
interface SocketBytes {
  readonly bytesRead: number
  readonly bytesWritten: number
}

export class CountedTcp {
  readonly #open = new Set<SocketBytes>()
  #closedIn = 0
  #closedOut = 0

  counters(): NetworkCounters {
    let bytesIn = this.#closedIn
    let bytesOut = this.#closedOut
    for (const socket of this.#open) {
      bytesIn += socket.bytesRead
      bytesOut += socket.bytesWritten
    }
    return { bytesIn, bytesOut }
  }

  /** What goes into libp2p's `transports`. */
  transport(components: TCPComponents): Transport {
    const inner = tcp({
      inboundSocketInactivityTimeout: SOCKET_SILENCE_MS,
      outboundSocketInactivityTimeout: SOCKET_SILENCE_MS,
      backlog: LISTEN_BACKLOG,
    })(components)
    const outer: Transport = Object.create(inner)
    outer.dial = (address, options) => this.#dial(inner, address, options)
    outer.createListener = (options) =>
      inner.createListener({ ...options, upgrader: watched(options.upgrader, (connection) => this.#count(connection)) })
    return outer
  }

  async #dial(inner: Transport, address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    let socket: SocketBytes | undefined
    const upgrader = watched(options.upgrader, (connection) => {
      socket = this.#count(connection)
    })
    try {
      return await inner.dial(address, { ...options, upgrader })
    } catch (error) {
      throw new TransportDialError(error, socket?.bytesRead ?? null)
    }
  }

  #count(connection: MultiaddrConnection): SocketBytes {
    const { socket } = connection as unknown as { readonly socket: SocketBytes }
    this.#open.add(socket)
    connection.addEventListener('close', () => {
      if (!this.#open.delete(socket)) return
      this.#closedIn += socket.bytesRead
      this.#closedOut += socket.bytesWritten
    })
    return socket
  }
}

/** `upgrader`, with a look at each raw connection before it is upgraded. */
function watched(upgrader: Upgrader, look: (connection: MultiaddrConnection) => void): Upgrader {
  const outer: Upgrader = Object.create(upgrader)
  outer.upgradeOutbound = (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) => {
    look(connection)
    return upgrader.upgradeOutbound(connection, options)
  }
  outer.upgradeInbound = (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) => {
    look(connection)
    return upgrader.upgradeInbound(connection, options)
  }
  return outer
}
