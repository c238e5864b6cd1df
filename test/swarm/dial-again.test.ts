/** A handshake that is cut short by a peer that speaks libp2p is begun again, so many times. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { Line } from '../../scripts/chaos/line.ts'
import { systemClock } from '../../src/node/clock.ts'
import type { Network } from '../../src/ports/network.ts'
import { DIAL_ATTEMPTS, IDENTIFY_LATE_MS } from '../../src/swarm/limits.ts'
import { rawNode } from './raw-node.ts'
import { forever, loopbackSwarm } from './support.ts'

const IDENTIFY = '/ipfs/id/1.0.0'

/** Within the handshake: both sides have greeted, nobody is known yet. */
const HALF_A_HANDSHAKE = { cut: { afterBytes: 60, how: 'fin' } } as const

async function listening(number: number): Promise<Network> {
  const network = loopbackSwarm(number)
  await network.start(forever)
  after(() => network.stop())
  return network
}

async function lineTo(network: Network): Promise<Line> {
  const port = Number(network.addresses()[0]!.split('/')[4])
  const line = await Line.open(() => ({ host: '127.0.0.1', port }), HALF_A_HANDSHAKE, 1)
  after(() => line.close())
  return line
}

const dialler = await listening(700)
const dialled = await listening(701)

test('the handshake is begun again, and finds who is there', async () => {
  const line = await lineTo(dialled)
  const dialling = dialler.dial(line.address, forever)
  while (line.cuts === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  line.badness = {}
  assert.equal(await dialling, dialled.id)
  await dialler.hangUp(dialled.id)
})

test('a peer that always hangs up is too busy, and no other program', async () => {
  const line = await lineTo(dialled)
  await assert.rejects(dialler.dial(line.address, forever), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'timeout')
    assert.equal(
      error.message,
      `The peer at ${line.address} answered, but hung up ${DIAL_ATTEMPTS} times before both sides were known to each other: it, or this machine, is too busy; try again in a moment.`,
    )
    return true
  })
  assert.equal(line.cuts, DIAL_ATTEMPTS)
})

test('a peer that hangs up because it has waited in vain to hear who we are is dialled again, and then called busy', async () => {
  let lateMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + lateMs }
  const hurrying = loopbackSwarm(702, { clock })
  await hurrying.start(forever)
  after(() => hurrying.stop())
  const busy = await rawNode()
  after(() => busy.stop())
  let dials = 0
  await busy.unhandle(IDENTIFY)
  await busy.handle(IDENTIFY, (_stream, connection) => {
    dials++
    lateMs += IDENTIFY_LATE_MS
    connection.abort(new Error('nothing heard'))
  })
  await assert.rejects(hurrying.dial(busy.getMultiaddrs()[0]!.toString(), forever), {
    code: 'timeout',
    message:
      'The peer at this address hung up after 3 s without having heard who we are: it, or this machine, is too busy; try again in a moment.',
  })
  assert.equal(dials, DIAL_ATTEMPTS)
})

test('another program is asked once and looked at once', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('error', () => undefined)
    socket.end('SSH-2.0-OpenSSH_9.6 and what follows it\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  const { port } = server.address() as { port: number }
  await assert.rejects(dialler.dial(`127.0.0.1:${port}`, forever), { code: 'other_network' })
  assert.equal(connections, 2)
})
