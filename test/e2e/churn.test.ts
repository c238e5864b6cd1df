/** What happens to a swarm of real daemons: one is held still and goes on, one joins through a peer that is itself still joining. */
import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'

/** Starting a daemon on a busy machine; hearing that one is silent takes three of its beacons. */
const DEADLINE_MS = 30_000

const listening = async (daemon: TestDaemon) => daemon.event('listening', DEADLINE_MS)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  await new Promise((resolve) => server.close(resolve))
  return address.port
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** No state of a peer is told twice in a row, and nobody honest is refused. */
function assertSensible(daemon: TestDaemon): void {
  const states = new Map<string, string>()
  for (const { id, state } of daemon.all('peer')) {
    assert.notEqual(states.get(id), state)
    states.set(id, state)
  }
  assert.deepEqual(daemon.all('refused'), [])
}

test('a peer that is held still is noticed, and takes part again when it goes on', {
  skip: process.platform === 'win32',
}, async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--seed', '1'])
  const { peer: founderId, addresses } = await listening(founder)
  const sleeper = TestDaemon.spawn(context, ['join', addresses[0]!])
  const { peer: sleeperId } = await listening(sleeper)
  await founder.event('mix', DEADLINE_MS, (mix) => mix.with === sleeperId)
  sleeper.signal('SIGSTOP')
  const asleep = founder.events.length
  await founder.event('peer', DEADLINE_MS, ({ id, state }) => id === sleeperId && state === 'silent', asleep)
  const awake = [founder.events.length, sleeper.events.length]
  sleeper.signal('SIGCONT')
  await founder.event('peer', DEADLINE_MS, ({ id, state }) => id === sleeperId && state === 'alive', awake[0])
  await founder.event('mix', DEADLINE_MS, (mix) => mix.with === sleeperId, awake[0])
  await sleeper.event('mix', DEADLINE_MS, (mix) => mix.with === founderId, awake[1])
  for (const daemon of [founder, sleeper]) assertSensible(daemon)
  assert.deepEqual(await Promise.all([founder.terminate(), sleeper.terminate()]), [0, 0])
})

test('a peer that is still joining lets others wait until it has joined', { skip: process.platform === 'win32' }, async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--wait-for-peers', '9'])
  const { addresses } = await listening(founder)
  const port = await freePort()
  // Its joining takes as long as the founder stands still.
  founder.signal('SIGSTOP')
  const second = TestDaemon.spawn(context, ['join', addresses[0]!, '--listen', `127.0.0.1:${port}`, '--wait-for-peers', '9'])
  while (!(await canConnect(port))) assert.deepEqual(second.events, [])
  const third = TestDaemon.spawn(context, ['join', `127.0.0.1:${port}`, '--wait-for-peers', '9'])
  founder.signal('SIGCONT')
  const [joined, { peer: secondId }] = await Promise.all([third.event('joined', DEADLINE_MS), listening(second)])
  assert.equal(joined.from, secondId)
  for (const daemon of [founder, second, third]) assertSensible(daemon)
  assert.deepEqual(await Promise.all([founder, second, third].map((daemon) => daemon.terminate())), [0, 0, 0])
})
