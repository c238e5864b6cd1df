/**
 * TCP for libp2p, watched: bytes of all sockets are counted, and a dial that fails says how far it came. Public addresses are dialled from one
 * local port, so that a NAT shows the same port to everybody, and a hole punched for one peer leads to the socket that dials it.
 * What is written to a socket at one time leaves in one system call: libp2p hands over each length, header and tag by itself.
 * Counted is what passes the sockets in both directions (handshakes, encryption and multiplexing included; TCP and IP headers not), from the
 * moment a socket is connected.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import process from 'node:process'
import type { Connection, DialTransportOptions, MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { type TCPComponents, tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NetworkCounters } from '../ports/network.ts'
import { messageOf } from '../util/errors.ts'
import { networkOf } from '../wire/address-range.ts'
import { LISTEN_BACKLOG, SOCKET_SILENCE_MS } from './limits.ts'

/** A dial that failed. `heard`: bytes that came from the other side; null when there was no connection at all. */
export class TransportDialError extends Error {
  readonly heard: number | null

  constructor(cause: unknown, heard: number | null) {
    super(messageOf(cause), { cause })
    this.name = 'TransportDialError'
    this.heard = heard
  }
}

/** What is used here of libp2p's TCP connections; nothing public leads to the socket. */
interface SocketConnection {
  readonly socket: Socket
  sendData(pieces: Iterable<Uint8Array> & { readonly byteLength: number }): { readonly sentBytes: number; readonly canSendMore: boolean }
}

type SocketBytes = Pick<Socket, 'bytesRead' | 'bytesWritten'>

export class CountedTcp {
  readonly #open = new Set<SocketBytes>()
  /** Where dials to public addresses come from; 0 before the first. */
  #punchPort = 0
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
    const localPort = isPublic(address) ? await this.#localPort() : 0
    try {
      if (localPort === 0) return await inner.dial(address, { ...options, upgrader })
      return await inner.dial(address, { ...options, upgrader, localPort } as DialTransportOptions).catch((error: unknown) => {
        // That pair of ports is in use, or was just now; another does as well, but for punching.
        if (socket !== undefined || !isTaken(error)) throw error
        return inner.dial(address, { ...options, upgrader })
      })
    } catch (error) {
      throw new TransportDialError(error, socket?.bytesRead ?? null)
    }
  }

  /** One that was free just now. */
  async #localPort(): Promise<number> {
    if (this.#punchPort === 0) {
      const server = createServer().listen(0)
      await once(server, 'listening')
      const address = server.address()
      server.close()
      await once(server, 'close')
      this.#punchPort = typeof address === 'object' && address !== null ? address.port : 0
    }
    return this.#punchPort
  }

  #count(connection: MultiaddrConnection): SocketBytes {
    const { socket } = gathering(connection as unknown as SocketConnection)
    this.#open.add(socket)
    connection.addEventListener('close', () => {
      if (!this.#open.delete(socket)) return
      this.#closedIn += socket.bytesRead
      this.#closedOut += socket.bytesWritten
    })
    return socket
  }
}

/** `connection`, which from now on writes all pieces of this turn of the event loop together. */
function gathering(connection: SocketConnection): SocketConnection {
  const { socket } = connection
  connection.sendData = (pieces) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    for (const piece of pieces) socket.write(piece)
    return { sentBytes: pieces.byteLength, canSendMore: !socket.writableNeedDrain }
  }
  return connection
}

function isPublic(address: Multiaddr): boolean {
  return networkOf(address.toString())?.isPublic === true
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EADDRINUSE', 'EADDRNOTAVAIL'].includes(String(error.code))
}

/** `upgrader`, with a look at each raw connection before it is upgraded. */
function watched(upgrader: Upgrader, look: (connection: MultiaddrConnection) => void): Upgrader {
  const outer: Upgrader = Object.create(upgrader)
  outer.upgradeOutbound = (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) => {
    look(connection)
    // Both sides of a punched hole have dialled; the multiplexer must know which of them answers, as the handshake does.
    if (options.initiator === false) (connection as { direction: MultiaddrConnection['direction'] }).direction = 'inbound'
    return upgrader.upgradeOutbound(connection, options)
  }
  outer.upgradeInbound = (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) => {
    look(connection)
    return upgrader.upgradeInbound(connection, options)
  }
  return outer
}
