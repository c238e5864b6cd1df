/**
 * A second look where libp2p was told nothing: which words does the program there begin with? Shell and mail servers speak unasked and then
 * wait; a web server answers libp2p's greeting with an error, which is lost when the connection breaks while we are still writing. So this
 * greets once, writes no more, and listens.
 */
import { createConnection } from 'node:net'
import type { Clock } from '../ports/clock.ts'
import { PROBE_TIMEOUT_MS } from './limits.ts'
import { Operation } from './operation.ts'

/** What both sides of a libp2p connection say first: its length, then the protocol. [multistream-select 1.0] */
const GREETING = Buffer.from('\u0013/multistream/1.0.0\n')

/** With so many random bytes does each side of a private swarm begin, and with nothing else until it has read the other's. [libp2p specs, pnet] */
export const NONCE_BYTES = 24

/** What answers at `target` (a TCP multiaddr) within PROBE_TIMEOUT_MS. Never rejects. */
export async function languageAt(
  target: string,
  clock: Clock,
  ...parents: readonly AbortSignal[]
): Promise<'libp2p' | 'private' | 'other' | 'silent'> {
  const [, , host = '', , port] = target.split('/')
  const operation = new Operation(clock, ...parents)
  operation.deadline(PROBE_TIMEOUT_MS, () => new Error('silent'))
  const socket = createConnection({ host, port: Number(port) })
  const answer = Promise.withResolvers<Buffer>()
  socket.on('connect', () => socket.write(GREETING))
  socket.on('data', answer.resolve)
  socket.on('error', answer.reject)
  socket.on('close', () => answer.reject(new Error('closed')))
  try {
    const words = await operation.race(answer.promise)
    if (words.length === NONCE_BYTES && words.some((byte) => byte > 126)) return 'private'
    return GREETING.subarray(0, words.length).equals(words.subarray(0, GREETING.length)) ? 'libp2p' : 'other'
  } catch {
    return 'silent'
  } finally {
    operation.end()
    socket.destroy()
  }
}
