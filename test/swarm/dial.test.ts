/** What a person is told when an address is not that of a Grapevine peer of the same version. */
import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Network } from '../../src/ports/network.ts'
import { judgeAgent } from '../../src/swarm/admission.ts'
import { type Dialer, dial, explain } from '../../src/swarm/dial.ts'
import { MAX_CONNECTIONS } from '../../src/swarm/limits.ts'
import { TransportDialError } from '../../src/swarm/transport.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { bareNode, rawNode } from './raw-node.ts'
import { closedPort, forever, hurried, loopbackSwarm, until } from './support.ts'

const cleanups: (() => unknown)[] = []
after(async () => {
  for (const cleanup of cleanups) await cleanup()
})

async function started(network: Network): Promise<Network> {
  await network.start(forever)
  cleanups.push(() => network.stop())
  return network
}

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `127.0.0.1:${address.port}`
}

async function stopped<N extends Libp2p>(node: Promise<N>): Promise<N> {
  const started = await node
  cleanups.push(() => started.stop())
  return started
}

const foreignNode = (agent: string) => stopped(rawNode({ agent }))

async function failure(network: Network, address: string): Promise<GrapevineError> {
  const error = await network.dial(address, forever).then(
    () => assert.fail(`${address} was dialled`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof GrapevineError, String(error))
  return error
}

test('what is no address is malformed, with what was probably meant', async () => {
  const error = await failure(await started(loopbackSwarm(116)), '/ip4/127.0.0.1/tpc/4001')
  assert.deepEqual([error.code, error.fault], ['malformed', 'local'])
  assert.equal(error.message, '"/ip4/127.0.0.1/tpc/4001" is no address to dial: did you mean /ip4/127.0.0.1/tcp/4001?')
})

test('a closed port is refused', async () => {
  const network = await started(loopbackSwarm(100))
  const address = `127.0.0.1:${await closedPort()}`
  const error = await failure(network, address)
  assert.equal(error.code, 'refused')
  assert.match(error.message, /nobody listens/)
  assert.ok(error.message.includes(address))
})

test('a name that resolves to this machine is dialled', async () => {
  const [a, b] = [await started(loopbackSwarm(101)), await started(loopbackSwarm(102))]
  const port = /tcp\/(\d+)/.exec(b.addresses()[0]!)?.[1]
  assert.equal(await a.dial(`localhost:${port}`, forever), b.id)
})

test('dialling a connected peer again by an address without its id opens no further connection', async () => {
  const [a, b] = [await started(loopbackSwarm(109)), await started(loopbackSwarm(110))]
  const address = `127.0.0.1:${/tcp\/(\d+)/.exec(b.addresses()[0]!)?.[1]}`
  assert.equal(await a.dial(address, forever), b.id)
  const before = a.counters().bytesOut
  for (let i = 0; i < 5; i++) assert.equal(await a.dial(address, forever), b.id)
  // A handshake alone takes 1 KB.
  assert.ok(a.counters().bytesOut - before < 1_000)
})

test('a server that accepts and says nothing times out', async () => {
  // Every deadline comes 20 times as soon: 5 s are 250 ms.
  const network = await started(loopbackSwarm(103, { clock: hurried(20) }))
  const address = await listening(createServer(() => {}))
  const error = await failure(network, address)
  assert.equal(error.code, 'timeout')
  assert.equal(error.message, `${address} did not answer within 5 s; check the address and any firewall between.`)
})

test('a server that closes without a word is refused, one that speaks HTTP is another network', async () => {
  const network = await started(loopbackSwarm(104))
  const closing = await failure(network, await listening(createServer((socket) => socket.end())))
  assert.equal(closing.code, 'refused')
  assert.match(closing.message, / accepted the connection and closed it without a word: it is full, or it is not Grapevine\.$/)
  const http = await listening(createHttpServer((_request, response) => response.end('hello')))
  // Whether its answer is lost on the way depends on the moment.
  for (let i = 0; i < 10; i++) {
    const { code, message } = await failure(network, http)
    assert.deepEqual([code, message], ['other_network', `The program at ${http} does not speak libp2p; check the address and the port.`])
  }
  const chatty = await failure(network, await listening(createServer((socket) => socket.end('220 mail.example.org ESMTP\r\n'))))
  assert.equal(chatty.code, 'other_network')
})

test('a server that says a few words of its own and waits is another network', async () => {
  const network = await started(loopbackSwarm(117, { clock: hurried(20) }))
  const shell = await listening(createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')))
  assert.equal((await failure(network, shell)).code, 'other_network')
  const half = await listening(createServer((socket) => socket.write('\u0013/multistream/1.0.0\n')))
  assert.equal((await failure(network, half)).code, 'timeout')
})

test('a libp2p node that is not Grapevine is another network, one of another major version says which, and both are hung up on', async () => {
  const network = await started(loopbackSwarm(105))
  const cases = [
    {
      node: await foreignNode('kubo/0.40.0'),
      code: 'other_network',
      message: /^The program at this address speaks libp2p but is not Grapevine; check the address\.$/,
    },
    { node: await foreignNode('grapevine/next'), code: 'other_network', message: /not Grapevine/ },
    { node: await stopped(bareNode()), code: 'other_network', message: /does not say who it is/ },
    { node: await foreignNode('grapevine/2.7'), code: 'protocol_version', message: /protocol 2\.7 there, 1\.0 here/ },
  ]
  for (const { node, code, message } of cases) {
    const error = await failure(network, node.getMultiaddrs()[0]!.toString())
    assert.equal(error.code, code)
    assert.match(error.message, message)
    await until(() => node.getConnections().length === 0, 'hanging up')
  }
  assert.deepEqual(network.peers(), [])
})

test('a peer of another minor version is welcome', async () => {
  const network = await started(loopbackSwarm(106))
  const node = await foreignNode('grapevine/1.9')
  assert.equal(await network.dial(node.getMultiaddrs()[0]!.toString(), forever), node.peerId.toString())
})

test('foreign nodes that dial us are hung up on and never listed', async () => {
  const network = await started(loopbackSwarm(107))
  let changes = 0
  network.onPeer(() => changes++)
  const node = await foreignNode('kubo/0.40.0')
  await node.dial(multiaddr(network.addresses()[0]!)).catch(() => {})
  await until(() => node.getConnections().length === 0, 'hanging up')
  assert.deepEqual(network.peers(), [])
  assert.equal(changes, 0)
})

test('identities with other keys than Ed25519 do not get past the handshake', async () => {
  const network = await started(loopbackSwarm(108))
  const node = await stopped(rawNode({ privateKey: await generateKeyPair('secp256k1') }))
  const address = node
    .getMultiaddrs()[0]!
    .toString()
    .replace(/\/p2p\/.*/, '')
  const error = await failure(network, address)
  assert.equal(error.code, 'other_network')
  assert.deepEqual(network.peers(), [])
})

test('agents are judged by name and major version', () => {
  const code = (theirs: string | undefined) => judgeAgent(theirs, 'grapevine/1.0')?.code ?? null
  assert.equal(code('grapevine/1.0'), null)
  assert.equal(code('grapevine/1.12'), null)
  assert.equal(code('grapevine/2.0'), 'protocol_version')
  assert.equal(code('grapevine/0.9'), 'protocol_version')
  for (const other of [
    undefined,
    '',
    'kubo/0.40',
    'grapevine',
    'grapevine/',
    'grapevine/1',
    'grapevine/1.0 ',
    'grapevine/1.0.0',
    'x grapevine/1.0',
  ]) {
    assert.equal(code(other), 'other_network', String(other))
  }
})

test('a peer with all its connections dials nobody', async () => {
  const dialer = {
    node: { getConnections: () => Array.from({ length: MAX_CONNECTIONS }, () => ({})) },
    self: 'me',
    admits: () => true,
    found: new Map(),
  } as unknown as Dialer
  await assert.rejects(dial(dialer, '10.0.0.1:4001', forever), {
    code: 'refused',
    message: `10.0.0.1:4001 was not dialled: this peer has its ${MAX_CONNECTIONS} connections already.`,
  })
})

test('failures of the system are told apart by how far the dial came', () => {
  const system = (code: string) => Object.assign(new Error(code), { code })
  const explained = (error: unknown) => explain(error, 'host:1', false)
  assert.equal(explained(new TransportDialError(system('ECONNREFUSED'), null)).code, 'refused')
  assert.match(explained(new TransportDialError(system('ENOTFOUND'), null)).message, /no machine has this name/)
  assert.match(explained(new TransportDialError(system('EHOSTUNREACH'), null)).message, /cannot be reached \(EHOSTUNREACH\)/)
  assert.equal(explained(new TransportDialError(system('ETIMEDOUT'), null)).code, 'timeout')
  for (const heard of [0, null]) assert.match(explained(new TransportDialError(system('ECONNRESET'), heard)).message, /it is full/)
  assert.equal(explained(new TransportDialError(system('ECONNRESET'), 25)).code, 'other_network')
  assert.equal(explained(new TransportDialError(Object.assign(new Error('x'), { name: 'TimeoutError' }), 0)).code, 'timeout')
  assert.equal(explained(new Error('The dial queue is full')).code, 'refused')
  assert.equal(explained(Object.assign(new Error(), { code: 'EX' })).message, 'host:1 could not be dialled (EX).')
  const own = Object.assign(new Error(), { name: 'InvalidPeerIdError' })
  assert.equal(
    explained(own).message,
    'host:1 is this very peer, or one that runs with a copy of its data folder: give the address of another one, or a folder of its own (--data-dir).',
  )
})
