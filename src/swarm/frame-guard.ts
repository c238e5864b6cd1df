/**
 * A look at yamux frames before yamux keeps them. Its decoder gathers a whole frame, of whatever length up to 4 GiB its header claims, before
 * it checks anything, and nothing bounds how often streams are opened or pings asked for. This reads the headers as they pass; a frame that no
 * honest peer sends, or too many of a kind, ends the connection. [yamux specification; measured: reference of this project, case 11]
 */
import type { StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import type { Clock } from '../ports/clock.ts'
import { messageOf } from '../util/errors.ts'
import { Gcra } from '../util/gcra.ts'
import { MAX_STREAM_WINDOW_BYTES, PING_RATE, STREAM_RATE } from './limits.ts'

const HEADER_BYTES = 12
const DATA = 0
const PING = 2
const SYN = 1
const ACK = 2

/** Follows the frames of one connection in one direction. `look` throws at the first that is refused. */
export class FrameGuard {
  readonly #clock: Clock
  readonly #header = new Uint8Array(HEADER_BYTES)
  readonly #streams = new Gcra(STREAM_RATE)
  readonly #pings = new Gcra(PING_RATE)
  #headerBytes = 0
  /** Bytes of the current frame's body still to come. */
  #bodyBytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Any split of the bytes gives the same. */
  look(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#bodyBytes > 0) {
        const skipped = Math.min(this.#bodyBytes, bytes.length - at)
        this.#bodyBytes -= skipped
        at += skipped
        continue
      }
      const piece = bytes.subarray(at, at + HEADER_BYTES - this.#headerBytes)
      this.#header.set(piece, this.#headerBytes)
      this.#headerBytes += piece.length
      at += piece.length
      if (this.#headerBytes < HEADER_BYTES) return
      this.#headerBytes = 0
      this.#judge()
    }
  }

  #judge(): void {
    const view = new DataView(this.#header.buffer)
    const [type, flags, length] = [view.getUint8(1), view.getUint16(2), view.getUint32(8)]
    if (type === DATA) {
      if (length > MAX_STREAM_WINDOW_BYTES) throw new Error(`a frame of ${length} bytes is over any window`)
      this.#bodyBytes = length
    }
    const nowMs = this.#clock.now()
    if (type === PING) {
      if ((flags & ACK) === 0 && this.#pings.take(nowMs) > 0) throw new Error('too many pings')
    } else if ((flags & SYN) !== 0 && this.#streams.take(nowMs) > 0) throw new Error('too many streams')
  }
}

/** yamux's muxers take bytes through `onData`; what it throws ends the connection. */
interface TakesBytes {
  onData(bytes: Uint8Array | Iterable<Uint8Array>): void
}

/** `factory`, each of whose muxers sees only what a guard let pass; `refused` is told why one did not. */
export function guarded(factory: StreamMuxerFactory, clock: Clock, refused: (reason: string) => void): StreamMuxerFactory {
  const outer: StreamMuxerFactory = Object.create(factory)
  outer.createStreamMuxer = (connection) => {
    const muxer = factory.createStreamMuxer(connection) as StreamMuxer & TakesBytes
    const guard = new FrameGuard(clock)
    const take = muxer.onData.bind(muxer)
    muxer.onData = (bytes) => {
      try {
        if (bytes instanceof Uint8Array) guard.look(bytes)
        else for (const piece of bytes) guard.look(piece)
      } catch (error) {
        refused(messageOf(error))
        throw error
      }
      take(bytes)
    }
    return muxer
  }
  return outer
}
