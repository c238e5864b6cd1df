/**
 * A bad line in front of a peer, in user space: a TCP proxy that delays, stalls, narrows, cuts and damages what passes. Lost packets of TCP come
 * again after a while, so loss is a stall of the rest of the stream. Works everywhere, kernel or not; counts what it did.
 */
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/util/random.ts'

export interface Badness {
  /** Milliseconds that each piece is late in each direction, and how much more or less, evenly. */
  readonly delayMs?: number
  readonly jitterMs?: number
  /** Probability that a packet's worth of bytes is lost, and comes again STALL_MS later. */
  readonly loss?: number
  /** Of each direction of each connection. */
  readonly bytesPerSecond?: number
  /** Ends the connection after so many bytes from the peer behind: with FIN or with RESET. */
  readonly cut?: { readonly afterBytes: number; readonly how: 'fin' | 'reset' }
  /** Turns one bit of this byte from the peer behind. */
  readonly flip?: { readonly atByte: number }
}

/** Bytes of one packet. */
const PACKET_BYTES = 1_448
/** How long a lost packet is missed: the kernel's least time to send again. */
const STALL_MS = 200
/** Bytes on their way before the sender is held back. */
const PIPE_BYTES = 65_536

const NOTHING = Buffer.alloc(0)

export class Line {
  badness: Badness
  connections = 0
  stalls = 0
  cuts = 0
  flips = 0
  bytes = 0
  readonly #server: Server
  readonly #target: () => { readonly host: string; readonly port: number }
  readonly #random
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, target: () => { readonly host: string; readonly port: number }, badness: Badness, seed: number) {
    this.#server = server
    this.#target = target
    this.#random = seededRandom('line', seed)
    this.badness = badness
    server.on('connection', (socket) => this.#join(socket))
  }

  /** `target`: asked for at each connection, because a peer's port may be known later than the line's. */
  static async open(target: () => { readonly host: string; readonly port: number }, badness: Badness, seed: number): Promise<Line> {
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Line(server, target, badness, seed)
  }

  get port(): number {
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? 0 : address.port
  }

  /** As a peer writes it. */
  get address(): string {
    return `/ip4/127.0.0.1/tcp/${this.port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((done) => this.#server.close(() => done()))
  }

  #join(near: Socket): void {
    this.connections++
    const { host, port } = this.#target()
    const far = createConnection({ host, port, noDelay: true, allowHalfOpen: true })
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', (failed) => {
        this.#sockets.delete(socket)
        // An orderly end is carried over after all that came before it.
        if (!failed) return
        near.destroy()
        far.destroy()
      })
    }
    this.#carry(near, far, () => undefined)
    let sent = 0
    this.#carry(far, near, (chunk) => {
      const before = sent
      sent += chunk.length
      return this.#harm(near, far, chunk, before)
    })
  }

  /** What the cut leaves of a chunk that begins at byte `before`; undefined: all of it. */
  #harm(near: Socket, far: Socket, chunk: Buffer, before: number): Buffer | undefined {
    const { cut, flip } = this.badness
    if (flip !== undefined && flip.atByte >= before && flip.atByte < before + chunk.length) {
      chunk[flip.atByte - before]! ^= 1 << (flip.atByte % 8)
      this.flips++
    }
    if (cut === undefined || cut.afterBytes >= before + chunk.length) return undefined
    if (cut.afterBytes < before) return NOTHING
    this.cuts++
    const rest = chunk.subarray(0, cut.afterBytes - before)
    const over = () => {
      far.destroy()
      if (cut.how === 'reset') near.resetAndDestroy()
    }
    if (cut.how === 'fin') near.end(rest, over)
    else near.write(rest, over)
    return NOTHING
  }

  /** What `harm` returns instead of a chunk has been dealt with there, and ends the stream. */
  #carry(from: Socket, to: Socket, harm: (chunk: Buffer) => Buffer | undefined): void {
    let dueMs = 0
    let freeMs = 0
    let turn: Promise<unknown> = Promise.resolve()
    let waiting = 0
    let broken = false
    from.on('end', () => void turn.then(() => broken || to.end()))
    from.on('data', (chunk: Buffer) => {
      const { delayMs = 0, jitterMs = 0, loss = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.badness
      const nowMs = performance.now()
      let lateMs = delayMs + jitterMs * (2 * this.#random.uniform() - 1)
      for (let packet = 0; loss > 0 && packet < chunk.length; packet += PACKET_BYTES) {
        if (this.#random.uniform() >= loss) continue
        this.stalls++
        lateMs += STALL_MS
      }
      freeMs = Math.max(freeMs, nowMs) + (1_000 * chunk.length) / bytesPerSecond
      // In order: nothing overtakes what was late.
      dueMs = Math.max(dueMs, freeMs + lateMs)
      const at = dueMs
      waiting += chunk.length
      if (waiting > PIPE_BYTES) from.pause()
      turn = turn.then(async () => {
        const leftMs = at - performance.now()
        if (leftMs > 1) await sleep(leftMs)
        waiting -= chunk.length
        if (waiting <= PIPE_BYTES) from.resume()
        if (to.destroyed || to.writableEnded) return
        const rest = harm(chunk)
        this.bytes += chunk.length
        if (rest === undefined) to.write(chunk)
        else broken = true
      })
    })
  }
}
