/** A second process with the identity of a connected peer: a copy of its data folder, or the peer itself, back after its machine lost its power. */
import assert from 'node:assert/strict'
import { createConnection, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import type { Network } from '../../src/ports/network.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const OPTIONS = { maxResponseBytes: 16, timeoutMs: 5_000 }
const ECHO = '/grapevine/test/1'
const TOPIC = 'twins'
/** What a restart may take. */
const SOON_MS = 5_000

const cleanups: (() => unknown)[] = []
after(async () => {
  for (const cleanup of cleanups) await cleanup()
})

async function started(number: number): Promise<Network> {
  const network = loopbackSwarm(number)
  await network.start(forever)
  cleanups.push(() => network.stop())
  return network
}

/** A line to `address` that can fall silent: what is sent disappears, and nobody is told. */
async function line(address: string): Promise<{ readonly address: string; cut(): void }> {
  const port = Number(/tcp\/(\d+)/.exec(address)?.[1])
  const sockets: Socket[] = []
  const server = createServer((inner) => {
    const outer = createConnection({ host: '127.0.0.1', port })
    sockets.push(inner, outer)
    for (const [from, to] of [[inner, outer] as const, [outer, inner] as const]) {
      from.on('error', () => undefined)
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listening = server.address()
  assert.ok(typeof listening === 'object' && listening !== null)
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    address: `127.0.0.1:${listening.port}`,
    cut() {
      for (const socket of sockets) socket.unpipe().resume()
    },
  }
}

/** A host, and a peer that is connected to it over a line. */
async function connected(number: number) {
  const host = await started(number)
  const heard: number[] = []
  host.subscribe(TOPIC, 16, (_author, bytes) => {
    heard.push(bytes[0]!)
    return 'accept'
  })
  host.serve(ECHO, 16, async (_peer, body) => [body])
  const first = await started(number + 1)
  const wire = await line(host.addresses()[0]!)
  await first.dial(wire.address, forever)
  await until(() => host.peers().length === 1)
  return { host, heard, first, wire }
}

describe('a second process with the identity of a connected peer', () => {
  test('is accepted within five seconds where the first is silent, and heard', { timeout: 60_000 }, async () => {
    const { host, heard, wire } = await connected(700)
    wire.cut()
    const again = await started(701)
    const beganAtMs = performance.now()
    await again.dial(host.addresses()[0]!, forever)
    const answer = await again.request(host.id, ECHO, Uint8Array.of(7), OPTIONS)
    assert.deepEqual([...answer], [7])
    const tookMs = performance.now() - beganAtMs
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`)
    assert.equal(host.peers().length, 1)
    again.subscribe(TOPIC, 16, () => 'accept')
    await until(() => again.subscribers(TOPIC).length === 1, 'gossip')
    await again.publish(TOPIC, Uint8Array.of(9))
    await until(() => heard.includes(9), 'the newcomer is heard')
    const gossipMs = performance.now() - beganAtMs
    assert.ok(gossipMs < 2 * SOON_MS, `${gossipMs} ms`)
  })

  test('is refused where the first still answers', { timeout: 60_000 }, async () => {
    const { host, first } = await connected(710)
    const twin = await started(711)
    const refused = twin.dial(host.addresses()[0]!, forever).then(() => twin.request(host.id, ECHO, Uint8Array.of(7), OPTIONS))
    await assert.rejects(refused, (error) => error instanceof GrapevineError)
    await until(() => twin.peers().length === 0, 'the twin is sent away')
    assert.deepEqual([...(await first.request(host.id, ECHO, Uint8Array.of(8), OPTIONS))], [8])
  })
})
