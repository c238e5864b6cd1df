/**
 * The donor's side of /grapevine/state/1: gives the manifest to whoever asks, and to a joiner a frozen copy of the replica, in ranges.
 * A copy is kept until its joiner hangs up, or for FROZEN_SNAPSHOT_MS after it was last asked for; at most MAX_DOWNLOADS_SERVED at once: more
 * joiners hear `busy`.
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Network, PeerId } from '../ports/network.ts'
import type { Compute } from '../ports/workers.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { MAX_REQUEST_BYTES } from '../wire/limits.ts'
import { STATE_PROTOCOL } from '../wire/protocol.ts'
import {
  bodyDigest,
  decodeStateRequest,
  encodeStateResponse,
  type Offer,
  type StateRefusal,
  type StateRequest,
  type StateResponse,
} from '../wire/state.ts'
import type { Authors } from './authors.ts'
import { FROZEN_SNAPSHOT_MS, MAX_DOWNLOADS_SERVED } from './limits.ts'
import type { Run } from './run.ts'
import type { Snapshots } from './snapshots.ts'

export interface DonorOptions {
  readonly clock: Clock
  readonly compute: Compute
  readonly run: Run
  readonly snapshots: Snapshots
  readonly authors: Authors
  /** Own rounds and frames so far. */
  readonly order: () => { readonly epoch: number; readonly sequence: number }
  readonly emit: (event: PeerEvent) => void
}

/** A copy that one joiner is downloading. */
interface Frozen {
  readonly offer: Offer
  readonly body: Uint8Array
  askedAtMs: number
}

export class Donor {
  readonly #options: DonorOptions
  readonly #frozen = new Map<PeerId, Frozen>()
  /** Joiners whose copy is being made. */
  readonly #freezing = new Set<PeerId>()
  /** Downloads completed. */
  served = 0

  constructor(options: DonorOptions) {
    this.#options = options
  }

  serve(network: Network): void {
    network.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, async (peer, bytes) => encodeStateResponse(await this.#answer(peer, bytes)))
  }

  /** A joiner that is gone needs its copy no more; should it come back, it asks for a newer one. */
  forget(peer: PeerId): void {
    this.#frozen.delete(peer)
  }

  async #answer(peer: PeerId, bytes: Uint8Array): Promise<StateResponse> {
    let request: StateRequest
    try {
      request = decodeStateRequest(bytes)
    } catch (error) {
      return refusal(error instanceof GrapevineError && error.code === 'unknown_request' ? 'unknown_request' : 'refused')
    }
    switch (request.kind) {
      case 'manifest':
        return this.#manifest(request.offset, request.length)
      case 'snapshot':
        return this.#freeze(peer)
      case 'range':
        return this.#range(request.body, request.offset, request.length)
      case 'done':
        return this.#done(peer, request.body)
    }
  }

  #manifest(offset: number, length: number): StateResponse {
    const { manifestBytes } = this.#options.run
    if (offset >= manifestBytes.length) return refusal('refused')
    return { kind: 'manifest', totalBytes: manifestBytes.length, bytes: manifestBytes.subarray(offset, offset + length) }
  }

  async #freeze(peer: PeerId): Promise<StateResponse> {
    this.#thaw()
    this.#frozen.delete(peer)
    if (this.#freezing.has(peer) || this.#frozen.size + this.#freezing.size >= MAX_DOWNLOADS_SERVED) return refusal('busy')
    this.#freezing.add(peer)
    try {
      const { snapshots, compute, clock, order } = this.#options
      const { body, chunks, parameterDigest, version, steps } = await snapshots.lend(async (replica) => ({
        ...(await compute.freeze(replica)),
        version: replica.version,
        steps: replica.steps,
      }))
      const offer: Offer = {
        body: bodyDigest(body.length, chunks),
        bodyBytes: body.length,
        chunks,
        parameterDigest,
        version,
        steps,
        ...order(),
      }
      this.#frozen.set(peer, { offer, body, askedAtMs: clock.now() })
      return { kind: 'offer', offer }
    } finally {
      this.#freezing.delete(peer)
    }
  }

  /** Whoever names a body that we hold may have it: its name proves what it is. */
  #range(body: Uint8Array, offset: number, length: number): StateResponse {
    this.#thaw()
    for (const frozen of this.#frozen.values()) {
      if (!equalBytes(frozen.offer.body, body)) continue
      if (offset >= frozen.body.length) return refusal('refused')
      frozen.askedAtMs = this.#options.clock.now()
      return { kind: 'range', bytes: frozen.body.subarray(offset, offset + length) }
    }
    return refusal('gone')
  }

  #done(peer: PeerId, body: Uint8Array): StateResponse {
    const frozen = this.#frozen.get(peer)
    if (frozen === undefined || !equalBytes(frozen.offer.body, body)) return refusal('gone')
    this.#frozen.delete(peer)
    this.served++
    this.#tellServed(peer, frozen.offer)
    return { kind: 'done' }
  }

  /** Whoever watches asks again and again: that it was given the weights is told once. */
  #tellServed(peer: PeerId, { version, parameterDigest }: Offer): void {
    const { authors, emit } = this.#options
    const author = authors.get(peer)
    const again = author?.served === true && author.beacon?.observing === true
    if (author !== undefined) author.served = true
    if (!again) emit({ event: 'served', peer, version, digest: encodeText(parameterDigest, 'base16') })
  }

  #thaw(): void {
    const nowMs = this.#options.clock.now()
    for (const [peer, frozen] of this.#frozen) if (nowMs - frozen.askedAtMs > FROZEN_SNAPSHOT_MS) this.#frozen.delete(peer)
  }
}

function refusal(code: StateRefusal): StateResponse {
  return { kind: 'error', code }
}
