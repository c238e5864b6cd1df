/**
 * Requests and their answers, one libp2p stream each. The asker: 1. opens a stream for the protocol, 2. sends the request and closes its
 * direction, 3. reads the answer. The answerer: 1. waits until the asker is admitted, 2. reads the request, 3. awaits the handler,
 * 4. sends the answer. A complete answer is the acknowledgement of both. It can end in: an answer, `refused` (not connected), `timeout`
 * (no first byte for FIRST_BYTE_TIMEOUT_MS, then less than PROGRESS_BYTES in PROGRESS_MS, or `timeoutMs` in all), `too_large`, `reset`
 * (protocol not served, request over the other side's limit, handler failed, connection lost), `closed`, or the reason of the caller's signal.
 * A stream that did not end well is reset.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { NetworkErrorCode, PeerId, RequestHandler, RequestOptions, ServeOptions } from '../ports/network.ts'
import { asError, GrapevineError } from '../util/errors.ts'
import { PROGRESS_MS } from '../wire/limits.ts'
import { type Admission, isDirect } from './admission.ts'
import { BodyReader, brokenOff, writeBody } from './body.ts'
import { FIRST_BYTE_TIMEOUT_MS, MAX_REQUESTS_PER_PEER } from './limits.ts'
import { Operation } from './operation.ts'
import type { Refusals } from './refusals.ts'
import type { Turns } from './turns.ts'

export interface RequestContext {
  readonly node: Libp2p
  readonly clock: Clock
  readonly log: Log
  readonly admission: Admission
  readonly turns: Turns
  readonly refusals: Refusals
  readonly stopping: AbortSignal
}

export interface Served extends ServeOptions {
  readonly protocol: string
  readonly maxRequestBytes: number
  readonly handler: RequestHandler
}

export async function request(
  context: RequestContext,
  peer: PeerId,
  protocol: string,
  body: Uint8Array,
  options: RequestOptions,
): Promise<Uint8Array> {
  const connections = context.admission.connections(peer).filter(({ status }) => status === 'open')
  const connection = connections.find(isDirect) ?? connections[0]
  if (connection === undefined) {
    throw new GrapevineError<NetworkErrorCode>('refused', 'network', `There is no connection to peer ${peer}.`, { peer })
  }
  if (!isDirect(connection) && options.overRelay !== true) {
    const message = `Peer ${peer} is reached through a relay only, and ${protocol} never travels through one.`
    throw new GrapevineError<NetworkErrorCode>('relayed', 'network', message, { peer, protocol })
  }
  const operation = new Operation(context.clock, options.signal, context.stopping)
  const late = (what: string) => () =>
    new GrapevineError<NetworkErrorCode>('timeout', 'network', `Peer ${peer} ${what} to a request on ${protocol}.`, { peer, protocol })
  let stream: Stream | undefined
  try {
    operation.deadline(options.timeoutMs, late('took too long to answer'))
    const silence = operation.deadline(FIRST_BYTE_TIMEOUT_MS, late('fell silent instead of answering'))
    stream = await open(connection, protocol, operation)
    silence.restart()
    const reader = new BodyReader(stream, options.maxResponseBytes)
    await writeBody(stream, body, operation, silence)
    await operation.race(stream.close({ signal: operation.signal }))
    return await reader.read(operation, silence, options.into)
  } catch (error) {
    const failure = operation.signal.aborted
      ? operation.signal.reason
      : error instanceof GrapevineError
        ? error
        : brokenOff(`Peer ${peer} broke off a request on ${protocol}.`, { cause: String(error) })
    stream?.abort(asError(failure))
    throw failure
  } finally {
    operation.end()
  }
}

/** The stream can be reset before it is handed out; the reader notices. */
async function open(connection: Connection, protocol: string, operation: Operation): Promise<Stream> {
  const opening = connection.newStream(protocol, {
    signal: operation.signal,
    maxOutboundStreams: MAX_REQUESTS_PER_PEER,
    // What must not travel so was refused before.
    runOnLimitedConnection: true,
  })
  // Given up: nobody else would end a stream that opens later.
  opening.then(
    (late) => operation.signal.aborted && late.abort(new Error('given up')),
    () => {},
  )
  try {
    return await operation.race(opening)
  } catch (error) {
    if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
      throw brokenOff(`Peer ${connection.remotePeer} does not answer requests on ${protocol}.`, { protocol })
    }
    throw error
  }
}

/** Registers `handler`, instead of an earlier one for `protocol`; the promise settles when libp2p knows it everywhere. */
export function serve(context: RequestContext, { protocol, maxRequestBytes, handler, overRelay }: Served): Promise<void> {
  return context.node.handle(protocol, (stream, connection) => answer(context, stream, connection, maxRequestBytes, handler), {
    maxInboundStreams: MAX_REQUESTS_PER_PEER,
    maxOutboundStreams: MAX_REQUESTS_PER_PEER,
    runOnLimitedConnection: overRelay === true,
    force: true,
  })
}

async function answer(
  context: RequestContext,
  stream: Stream,
  connection: Connection,
  maxRequestBytes: number,
  handler: RequestHandler,
): Promise<void> {
  const peer = connection.remotePeer.toString()
  // Listens before the first await: what arrives meanwhile is kept within the reader's limit.
  const reader = new BodyReader(stream, maxRequestBytes)
  const operation = new Operation(context.clock, context.stopping)
  try {
    const refusal = await operation.race(context.admission.verdict(connection))
    if (refusal !== null) throw refusal
    await context.turns.take(peer, operation.signal)
    const tooSlow = () => new GrapevineError<NetworkErrorCode>('timeout', 'peer', 'The request did not arrive in time.')
    const arriving = operation.deadline(FIRST_BYTE_TIMEOUT_MS, tooSlow)
    const body = await reader.read(operation, arriving)
    arriving.cancel()
    const response = await operation.race(handler(peer, body))
    const leaving = operation.deadline(PROGRESS_MS, tooSlow)
    await writeBody(stream, response, operation, leaving)
    await operation.race(stream.close({ signal: operation.signal }))
  } catch (error) {
    if (error instanceof GrapevineError && error.fault === 'peer') context.refusals.add(error.code)
    context.log.debug('request not answered', { peer, protocol: stream.protocol, error: String(error) })
    reader.detach()
    stream.abort(asError(error))
  } finally {
    operation.end()
  }
}
