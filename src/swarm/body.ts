/**
 * One body on a libp2p stream: its length in four bytes, big-endian, then its bytes. The reader looks at the length before it keeps anything,
 * holds at most that many bytes, and never throws in a listener (that would be an uncaught exception); the writer waits for room.
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import type { Body, NetworkErrorCode } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { PROGRESS_BYTES } from '../wire/limits.ts'
import { REQUEST_PIECE_BYTES } from './limits.ts'
import type { Deadline, Operation } from './operation.ts'

const LENGTH_BYTES = 4

/** Whole pieces in PROGRESS_BYTES. */
const PROGRESS_PIECES = Math.floor(PROGRESS_BYTES / REQUEST_PIECE_BYTES)

/** Listens from its creation on; `read` takes what came. */
export class BodyReader {
  readonly #stream: Stream
  readonly #maxBytes: number
  readonly #chunks: Uint8Array[] = []
  #received = 0
  /** Bytes that `read` waits for. */
  #wanted = 0
  /** Where the body goes as it comes; null: into #chunks. */
  #room: Room | null = null
  /** Bytes at which the next are on time: at first one. */
  #due = 1
  #ended = false
  #wake = () => {}
  #silence: Deadline | null = null

  constructor(stream: Stream, maxBytes: number) {
    this.#stream = stream
    this.#maxBytes = maxBytes
    // A stream can be over before anyone listens.
    this.#ended = stream.readableEnded || stream.status === 'reset' || stream.status === 'aborted' || stream.status === 'closed'
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('close', this.#onEnd)
  }

  /**
   * The whole body. Throws `too_large`, or `reset` when the stream ends early or carries more; `silence` restarts with the first byte and
   * then with every PROGRESS_BYTES: who sends a byte now and then is as silent as who sends none. One of exactly the bytes of `into` fills its
   * parts, and the first of them is returned.
   */
  async read(operation: Operation, silence: Deadline, into: readonly Uint8Array[] = []): Promise<Uint8Array> {
    this.#silence = silence
    try {
      await this.#until(operation, LENGTH_BYTES)
      const length = lengthIn(this.#chunks)
      if (length > this.#maxBytes) {
        throw new GrapevineError<NetworkErrorCode>(
          'too_large',
          'peer',
          `The other side sent ${length} bytes where at most ${this.#maxBytes} are allowed.`,
          {
            length,
            maxBytes: this.#maxBytes,
          },
        )
      }
      if (into.length > 0 && length === sizeOf(into)) {
        this.#room = new Room(into, LENGTH_BYTES)
        for (const chunk of this.#chunks.splice(0)) this.#room.put(chunk)
      }
      await this.#until(operation, LENGTH_BYTES + length)
      if (this.#received > LENGTH_BYTES + length) throw brokenOff('The other side sent more than it announced.')
      return this.#room === null ? concat(this.#chunks).subarray(LENGTH_BYTES) : into[0]!
    } finally {
      this.detach()
    }
  }

  detach(): void {
    this.#silence = null
    this.#stream.removeEventListener('message', this.#onMessage)
    this.#stream.removeEventListener('end', this.#onEnd)
    this.#stream.removeEventListener('close', this.#onEnd)
  }

  async #until(operation: Operation, bytes: number): Promise<void> {
    this.#wanted = bytes
    while (this.#received < bytes) {
      if (this.#ended) throw brokenOff('The other side broke off.')
      const more = Promise.withResolvers<void>()
      this.#wake = more.resolve
      await operation.race(more.promise)
    }
  }

  #onMessage = (event: StreamMessageEvent): void => {
    const lengthIsKnown = this.#received >= LENGTH_BYTES
    this.#received += event.data.byteLength
    // What goes over the limit is counted, so that `read` fails, but not kept.
    if (this.#received <= LENGTH_BYTES + this.#maxBytes || !lengthIsKnown) {
      for (const chunk of event.data instanceof Uint8Array ? [event.data] : event.data) {
        if (this.#room === null) this.#chunks.push(chunk)
        else this.#room.put(chunk)
      }
    }
    if (this.#received >= this.#due) {
      this.#due = this.#received + PROGRESS_BYTES
      this.#silence?.restart()
    }
    if (this.#received >= this.#wanted) this.#wake()
  }

  #onEnd = (): void => {
    this.#ended = true
    this.#wake()
  }
}

/** Of a body of which at least LENGTH_BYTES have come. */
function lengthIn(chunks: Uint8Array[]): number {
  const head = chunks[0]!.length >= LENGTH_BYTES ? chunks[0]! : concat(chunks)
  return new DataView(head.buffer, head.byteOffset).getUint32(0)
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** Memory of several parts, filled from the first to the last byte; what would go beyond is dropped. */
class Room {
  readonly #parts: readonly Uint8Array[]
  #part = 0
  #at = 0
  #skip: number

  /** The first `skip` bytes are nobody's. */
  constructor(parts: readonly Uint8Array[], skip: number) {
    this.#parts = parts
    this.#skip = skip
  }

  put(chunk: Uint8Array): void {
    let from = Math.min(this.#skip, chunk.length)
    this.#skip -= from
    while (from < chunk.length && this.#part < this.#parts.length) {
      const part = this.#parts[this.#part]!
      const piece = chunk.subarray(from, from + part.length - this.#at)
      part.set(piece, this.#at)
      from += piece.length
      this.#at += piece.length
      if (this.#at < part.length) continue
      this.#part++
      this.#at = 0
    }
  }
}

/** Resolves when everything was handed to the connection. `silence` restarts with every PROGRESS_PIECES for which there was room. */
export async function writeBody(stream: Stream, body: Body, operation: Operation, silence: Deadline): Promise<void> {
  const parts = body instanceof Uint8Array ? [body] : body
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, sizeOf(parts))
  let written = 0
  for (const piece of piecesOf([length, ...parts])) {
    await writePiece(stream, piece, operation)
    if (++written % PROGRESS_PIECES === 0) silence.restart()
  }
}

/** Pieces of REQUEST_PIECE_BYTES, the last of what is left: a message that is not full costs about as much as one that is. Views, where one part fills a piece. */
function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let gathered: Uint8Array[] = []
  let bytes = 0
  const piece = () => (gathered.length === 1 ? gathered[0]! : concat(gathered, bytes))
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const next = part.subarray(at, at + REQUEST_PIECE_BYTES - bytes)
      gathered.push(next)
      at += next.length
      bytes += next.length
      if (bytes < REQUEST_PIECE_BYTES) continue
      yield piece()
      gathered = []
      bytes = 0
    }
  }
  if (bytes > 0) yield piece()
}

async function writePiece(stream: Stream, piece: Uint8Array, operation: Operation): Promise<void> {
  operation.signal.throwIfAborted()
  let room = send(stream, piece)
  while (!room) {
    await operation.race(drained(stream))
    room = !stream.writableNeedsDrain
  }
}

/** `send` throws on a stream that was reset meanwhile. */
function send(stream: Stream, piece: Uint8Array): boolean {
  try {
    return stream.send(piece)
  } catch {
    throw brokenOff('The other side broke off.')
  }
}

/** The next `drain`. libp2p's own `onDrain` keeps the promise of the first drain for ever and so waits only once. */
function drained(stream: Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      act()
    }
    const onDrain = settle(resolve)
    const onClose = settle(() => reject(brokenOff('The other side broke off.')))
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })
}

export function brokenOff(message: string, data: Readonly<Record<string, unknown>> = {}): GrapevineError<NetworkErrorCode> {
  return new GrapevineError('reset', 'network', message, data)
}
