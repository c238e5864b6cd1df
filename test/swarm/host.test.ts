import assert from 'node:assert/strict'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import type { Network } from '../../src/ports/network.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const TOPIC = '/grapevine/1/00112233445566778899/beacon'
const STOP_LIMIT_MS = 1_000

const cleanups: (() => unknown)[] = []
after(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** What holds the process: sockets, servers, and timers that are not unref'd. */
const holding = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP') || kind === 'Timeout').length

function portOf(network: Network): number {
  return Number(/tcp\/(\d+)/.exec(network.addresses()[0]!)?.[1])
}

test('stopping leaves no socket and no timer, soon after it resolves', async () => {
  const before = holding()
  const [a, b] = [loopbackSwarm(500), loopbackSwarm(501)]
  for (const network of [a, b]) network.subscribe(TOPIC, 100, () => 'accept')
  b.serve('/grapevine/held/1', 10, () => new Promise(() => {}))
  await Promise.all([a.start(forever), b.start(forever)])
  await a.dial(b.addresses()[0]!, forever)
  await until(() => a.subscribers(TOPIC).length === 1, 'subscribing')
  const held = a.request(b.id, '/grapevine/held/1', new Uint8Array(1), { maxResponseBytes: 1, timeoutMs: 60_000 })
  held.catch(() => {})
  assert.ok(holding() > before)
  await Promise.all([a.stop(), b.stop()])
  await assert.rejects(held, (error) => error instanceof GrapevineError && ['closed', 'reset'].includes(error.code))
  const stopped = performance.now()
  await until(() => holding() <= before, 'letting go')
  assert.ok(performance.now() - stopped < 400, 'a timer held the process')
})

test('stopping does not wait for a peer that has gone silent', async () => {
  const [a, b] = [loopbackSwarm(502), loopbackSwarm(503)]
  await Promise.all([a.start(forever), b.start(forever)])
  // Between the two: a cable that can be cut without either side being told.
  const sockets: Socket[] = []
  const cable = createServer((near) => {
    const far = connectSocket(portOf(b), '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) sockets.push(socket.on('error', () => {}))
  })
  await new Promise<void>((resolve) => cable.listen(0, '127.0.0.1', resolve))
  cleanups.push(
    () => cable.close(),
    () => {
      for (const socket of sockets) socket.destroy()
    },
  )
  const address = cable.address()
  assert.ok(typeof address === 'object' && address !== null)
  await a.dial(`127.0.0.1:${address.port}`, forever)
  for (const socket of sockets) socket.unpipe().pause()
  for (const network of [a, b]) {
    const start = performance.now()
    await network.stop()
    assert.ok(performance.now() - start < STOP_LIMIT_MS, `${performance.now() - start} ms`)
  }
})

test('a port in use is named, and so is an address that is not ours', async () => {
  const first = loopbackSwarm(504)
  await first.start(forever)
  cleanups.push(() => first.stop())
  const taken = `/ip4/127.0.0.1/tcp/${portOf(first)}`
  const isNamed = (code: string, where: string) => (error: unknown) =>
    error instanceof GrapevineError && error.code === code && error.fault === 'local' && error.message.includes(where)
  const second = loopbackSwarm(505, { listen: [taken] })
  await assert.rejects(second.start(forever), isNamed('address_in_use', taken))
  await second.stop()
  const elsewhere = loopbackSwarm(506, { listen: ['/ip4/192.0.2.1/tcp/0'] })
  await assert.rejects(elsewhere.start(forever), {
    code: 'cannot_listen',
    message: 'Listening on /ip4/192.0.2.1/tcp/0 failed; check that it is an address of this machine that you may use.',
  })
  const notRunning = { code: 'closed', message: 'The network is not running: it was not started, or it is stopping.' }
  await assert.rejects(elsewhere.publish(TOPIC, Uint8Array.of(1)), notRunning)
  await elsewhere.stop()
})

test('announced addresses replace those listened on, here and in what others hear', async () => {
  const [a, b] = [loopbackSwarm(507, { announce: ['/dns/peer.example.org/tcp/4711'] }), loopbackSwarm(508)]
  await Promise.all([a.start(forever), b.start(forever)])
  cleanups.push(() => Promise.all([a.stop(), b.stop()]))
  const announced = [`/dns/peer.example.org/tcp/4711/p2p/${a.id}`]
  assert.deepEqual(a.addresses(), announced)
  await a.dial(b.addresses()[0]!, forever)
  await until(() => b.peers().length === 1, 'connecting')
  const [seen] = b.peers()
  assert.deepEqual([seen?.id, seen?.addresses], [a.id, announced])
  assert.match(seen?.observed ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\//)
})

test('what is asked of a network that does not run fails with closed', async () => {
  const network = loopbackSwarm(509)
  const isClosed = (error: unknown) => error instanceof GrapevineError && error.code === 'closed'
  await assert.rejects(network.dial('127.0.0.1:1', forever), isClosed)
  await assert.rejects(network.request('12D3KooW', '/x', new Uint8Array(1), { maxResponseBytes: 1, timeoutMs: 1 }), isClosed)
  await assert.rejects(network.publish(TOPIC, new Uint8Array(1)), isClosed)
  assert.deepEqual([network.addresses(), network.peers(), network.subscribers(TOPIC)], [[], [], []])
  assert.deepEqual(network.counters(), { bytesIn: 0, bytesOut: 0 })
  await network.hangUp('12D3KooW')
  await network.stop()
})

test('stopping during the start ends both', async () => {
  const before = holding()
  const network = loopbackSwarm(510)
  const starting = network.start(forever)
  starting.catch(() => {})
  await network.stop()
  await assert.rejects(starting, (error) => error instanceof GrapevineError && error.code === 'closed')
  await until(() => holding() <= before, 'letting go')
})
