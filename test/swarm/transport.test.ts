/** What libp2p writes to a socket piece by piece arrives in one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import type { DialTransportOptions, MultiaddrConnection } from '@libp2p/interface'
import type { TCPComponents } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { CountedTcp } from '../../src/swarm/transport.ts'

const log = Object.assign(() => {}, { error() {}, trace() {}, enabled: false, newScope: () => log })

test('what is sent in one turn of the event loop leaves together', async (context) => {
  const chunks: Buffer[] = []
  const server = createServer((socket) => socket.on('data', (chunk) => chunks.push(chunk))).listen(0, '127.0.0.1')
  context.after(() => server.close())
  await once(server, 'listening')
  let connection: MultiaddrConnection | undefined
  const upgrader = {
    upgradeOutbound: async (raw: MultiaddrConnection) => {
      connection = raw
    },
  }
  const counted = new CountedTcp()
  const transport = counted.transport({ logger: { forComponent: () => log } } as unknown as TCPComponents)
  const options = { upgrader, signal: new AbortController().signal } as unknown as DialTransportOptions
  await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`), options)
  for (const byte of [1, 2, 3]) assert.equal(connection!.send(Uint8Array.of(byte, byte)), true)
  await Promise.resolve()
  connection!.send(Uint8Array.of(4))
  while (chunks.length === 0) await new Promise(setImmediate)
  assert.deepEqual(chunks, [Buffer.from([1, 1, 2, 2, 3, 3, 4])])
  assert.equal(counted.counters().bytesOut, 7)
  await connection!.close()
})
