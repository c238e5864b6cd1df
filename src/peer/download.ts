/**
 * The joiner's side of /grapevine/state/1 with one peer: read its manifest, then download its frozen snapshot, each chunk checked as it
 * comes. Everything that a lying or dying peer can do ends in a GrapevineError within a deadline; nothing unverified is returned.
 */
import { pipe } from 'it-pipe'
import type { Clock } from '../ports/clock.ts'
import type { Network, PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { sha256 } from '../util/sha256.ts'
import { MAX_RESPONSE_BYTES, PROGRESS_BYTES, PROGRESS_MS, RANGE_BYTES } from '../wire/limits.ts'
import { STATE_PROTOCOL } from '../wire/protocol.ts'
import { chunkBytes, decodeStateResponse, encodeStateRequest, type Offer, type StateRequest, type StateResponse } from '../wire/state.ts'
import { BUSY_RETRY_MS, DOWNLOAD_BASE_MS, DOWNLOAD_BYTES_PER_SECOND, REQUEST_TIMEOUT_MS } from './limits.ts'

export interface DownloadPorts {
  readonly network: Network
  readonly clock: Clock
}

/** The manifest's bytes as that peer has them. */
export async function downloadManifest(ports: DownloadPorts, peer: PeerId, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let received = 0
  for (;;) {
    const answer = await ask(ports, peer, { kind: 'manifest', offset: received, length: RANGE_BYTES }, signal)
    if (answer.kind !== 'manifest' || answer.bytes.length === 0) throw unexpected(peer, answer)
    parts.push(answer.bytes)
    received += answer.bytes.length
    if (received === answer.totalBytes) return Buffer.concat(parts)
    if (received > answer.totalBytes) throw unexpected(peer, answer)
  }
}

/** Waits while the donor is busy, then returns what it offers. `maxBodyBytes`: the exact size is known from the manifest. */
export async function requestOffer(ports: DownloadPorts, peer: PeerId, maxBodyBytes: number, signal: AbortSignal): Promise<Offer> {
  for (;;) {
    const answer = await ask(ports, peer, { kind: 'snapshot' }, signal)
    if (answer.kind === 'offer') {
      if (answer.offer.bodyBytes > maxBodyBytes) {
        throw new GrapevineError(
          'too_large',
          'peer',
          `Peer ${peer} offers a snapshot of ${answer.offer.bodyBytes} bytes where the model needs at most ${maxBodyBytes}.`,
        )
      }
      return answer.offer
    }
    if (answer.kind !== 'error' || answer.code !== 'busy') throw unexpected(peer, answer)
    await ports.clock.sleep(BUSY_RETRY_MS, signal)
  }
}

/** The body of `offer`, whole and verified; tells the donor that it may let go. */
export async function downloadBody(ports: DownloadPorts, peer: PeerId, offer: Offer, signal: AbortSignal): Promise<Uint8Array> {
  const overdue = new AbortController()
  const giveUp = (what: string) => () => overdue.abort(new GrapevineError('timeout', 'peer', `Peer ${peer} ${what}.`))
  const limitMs = DOWNLOAD_BASE_MS + (1_000 * offer.bodyBytes) / DOWNLOAD_BYTES_PER_SECOND
  const cancel = ports.clock.after(limitMs, giveUp(`took longer than ${Math.round(limitMs / 1_000)} s to send its snapshot`))
  const progress = new Progress(ports.clock, giveUp('sent its snapshot at less than 64 KiB a second'))
  try {
    const deadline = AbortSignal.any([signal, overdue.signal])
    const body = new Uint8Array(offer.bodyBytes)
    await pipe(
      pullRanges(ports, peer, offer, deadline, progress),
      (ranges) => wholeChunks(ranges, offer),
      (chunks) => verified(chunks, offer, peer),
      async (chunks) => {
        let offset = 0
        for await (const chunk of chunks) {
          body.set(chunk, offset)
          offset += chunk.length
        }
      },
    )
    await ask(ports, peer, { kind: 'done', body: offer.body }, deadline)
    return body
  } finally {
    cancel()
    progress.end()
  }
}

/** Calls `onStalled` once PROGRESS_MS pass in which less than PROGRESS_BYTES are taken. */
class Progress {
  readonly #clock: Clock
  readonly #onStalled: () => void
  #missing = PROGRESS_BYTES
  #cancel: () => void

  constructor(clock: Clock, onStalled: () => void) {
    this.#clock = clock
    this.#onStalled = onStalled
    this.#cancel = clock.after(PROGRESS_MS, onStalled)
  }

  took(bytes: number): void {
    this.#missing -= bytes
    if (this.#missing > 0) return
    this.#missing = PROGRESS_BYTES
    this.#cancel()
    this.#cancel = this.#clock.after(PROGRESS_MS, this.#onStalled)
  }

  end(): void {
    this.#cancel()
  }
}

/** Asks for one range after the other: the next one only when the last was taken, which is all the back-pressure there is to have. */
async function* pullRanges(
  ports: DownloadPorts,
  peer: PeerId,
  offer: Offer,
  signal: AbortSignal,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < offer.bodyBytes; ) {
    const length = Math.min(RANGE_BYTES, offer.bodyBytes - offset)
    const answer = await ask(ports, peer, { kind: 'range', body: offer.body, offset, length }, signal)
    if (answer.kind !== 'range' || answer.bytes.length !== length) throw unexpected(peer, answer)
    progress.took(length)
    yield answer.bytes
    offset += length
  }
}

/** Ranges to chunks: a chunk is one or more whole ranges, the last may be shorter. */
async function* wholeChunks(ranges: AsyncIterable<Uint8Array>, offer: Offer): AsyncGenerator<Uint8Array> {
  const size = chunkBytes(offer.bodyBytes)
  let parts: Uint8Array[] = []
  let gathered = 0
  let total = 0
  for await (const range of ranges) {
    parts.push(range)
    gathered += range.length
    total += range.length
    if (gathered < size && total < offer.bodyBytes) continue
    yield Buffer.concat(parts)
    parts = []
    gathered = 0
  }
}

async function* verified(chunks: AsyncIterable<Uint8Array>, offer: Offer, peer: PeerId): AsyncGenerator<Uint8Array> {
  let index = 0
  for await (const chunk of chunks) {
    const digest = offer.chunks[index++]
    if (digest === undefined || !equalBytes(sha256(chunk), digest)) {
      throw new GrapevineError('bad_digest', 'peer', `Peer ${peer} sent bytes of its snapshot that do not match their digest.`)
    }
    yield chunk
  }
}

async function ask(ports: DownloadPorts, peer: PeerId, request: StateRequest, signal: AbortSignal): Promise<StateResponse> {
  const body = encodeStateRequest(request)
  const bytes = await ports.network.request(peer, STATE_PROTOCOL, body, {
    maxResponseBytes: MAX_RESPONSE_BYTES,
    timeoutMs: REQUEST_TIMEOUT_MS,
    signal,
  })
  return decodeStateResponse(bytes)
}

function unexpected(peer: PeerId, answer: StateResponse): GrapevineError {
  if (answer.kind === 'error') {
    return new GrapevineError(answer.code, 'peer', `Peer ${peer} refused to send its state (${answer.code}).`)
  }
  return new GrapevineError('bad_message', 'peer', `Peer ${peer} answered with something else than it was asked for.`)
}
