/**
 * Requests of the exchange protocol: one question and its answer, again while the answer is `wait`; and whole frames, pulled in ranges,
 * a few at a time.
 */
import type { Clock } from '../../ports/clock.ts'
import type { Network, PeerId } from '../../ports/network.ts'
import { GrapevineError } from '../../util/errors.ts'
import { reuseBytes } from '../../util/memory.ts'
import {
  decodeExchangeResponse,
  type ExchangeId,
  type ExchangeRequest,
  type ExchangeResponse,
  encodeExchangeRequest,
  RANGE_HEAD_BYTES,
} from '../../wire/exchange.ts'
import { EXCHANGE_RANGE_BYTES, MAX_EXCHANGE_RESPONSE_BYTES } from '../../wire/limits.ts'
import { EXCHANGE_PROTOCOL } from '../../wire/protocol.ts'
import {
  EXCHANGE_BASE_MS,
  EXCHANGE_BYTES_PER_SECOND,
  PAIR_BASE_MS,
  RANGES_AT_ONCE,
  REQUEST_TIMEOUT_MS,
  WAIT_FIRST_MS,
  WAIT_LAST_MS,
} from '../limits.ts'

export interface AskingPorts {
  readonly network: Network
  readonly clock: Clock
  /** Aborts when the peer stops. */
  readonly signal: AbortSignal
}

/** Time for a whole exchange of frames of so many bytes, in milliseconds. */
export function exchangeTimeoutMs(frameBytes: number): number {
  return EXCHANGE_BASE_MS + (2_000 * frameBytes) / EXCHANGE_BYTES_PER_SECOND
}

/** Time for a partner to come to the round that brings both together: the exchange that it may be in, at 1 MiB/s, and a second. */
export function pairTimeoutMs(frameBytes: number): number {
  return PAIR_BASE_MS + (2_000 * frameBytes) / EXCHANGE_BYTES_PER_SECOND
}

export async function ask(ports: AskingPorts, peer: PeerId, request: ExchangeRequest): Promise<ExchangeResponse> {
  return decodeExchangeResponse(await send(ports, peer, encodeExchangeRequest(request)))
}

/** Until the answer is another than `wait`, or `untilMs` on the clock. Throws a network failure, `bad_message`, or `timeout`. */
export async function askPatiently(ports: AskingPorts, peer: PeerId, request: ExchangeRequest, untilMs: number): Promise<ExchangeResponse> {
  const bytes = encodeExchangeRequest(request)
  for (let pauseMs = WAIT_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, WAIT_LAST_MS)) {
    const answer = decodeExchangeResponse(await send(ports, peer, bytes))
    if (answer.kind !== 'wait') return answer
    if (ports.clock.now() > untilMs) throw new GrapevineError('timeout', 'peer', `Peer ${peer} kept us waiting for too long.`)
    await ports.clock.sleep(pauseMs, ports.signal)
  }
}

/** The whole frame of exchange `id`, of which `head` came already: itself where that is all. May be given back (util/memory.ts). */
export async function pullFrame(
  ports: AskingPorts,
  peer: PeerId,
  id: ExchangeId,
  head: Uint8Array,
  frameBytes: number,
  wanted: () => boolean,
): Promise<Uint8Array> {
  if (head.length === frameBytes) return head
  const frame = reuseBytes(frameBytes)
  frame.set(head)
  let next = head.length
  const untilMs = ports.clock.now() + exchangeTimeoutMs(frameBytes)
  const pull = async () => {
    while (next < frameBytes) {
      const offset = next
      const length = Math.min(EXCHANGE_RANGE_BYTES, frameBytes - offset)
      next += length
      const [kind, range] = [new Uint8Array(RANGE_HEAD_BYTES), frame.subarray(offset, offset + length)]
      const bytes = await send(ports, peer, encodeExchangeRequest({ kind: 'range', id, offset, length }), [kind, range])
      // A range that is where it belongs left its head here.
      const answer = decodeExchangeResponse(bytes)
      if (answer.kind !== 'range') throw unexpected(peer)
      if (bytes !== kind) {
        if (answer.bytes.length !== length) throw unexpected(peer)
        range.set(answer.bytes)
      }
      if (!wanted() || ports.clock.now() > untilMs)
        throw new GrapevineError('stalled', 'peer', `Peer ${peer} sent its snapshot too slowly.`)
    }
  }
  await Promise.all(Array.from({ length: RANGES_AT_ONCE }, pull))
  return frame
}

function unexpected(peer: PeerId): GrapevineError {
  return new GrapevineError('bad_message', 'peer', `Peer ${peer} answered with something else than it was asked for.`)
}

function send({ network, signal }: AskingPorts, peer: PeerId, body: Uint8Array, into: readonly Uint8Array[] = []): Promise<Uint8Array> {
  return network.request(peer, EXCHANGE_PROTOCOL, body, {
    into,
    maxResponseBytes: MAX_EXCHANGE_RESPONSE_BYTES,
    timeoutMs: REQUEST_TIMEOUT_MS,
    signal,
  })
}
