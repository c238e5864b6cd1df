/**
 * A swarm of real daemons on loopback sockets: three learn CartPole together, the founder is killed, the two others go on, and a fourth
 * joins one of them. Every step waits for an event.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'

// Deadlines are for two cores with much else to do; a quiet machine needs a tenth.
/** Starting a daemon: libp2p, a learner thread and the first weights. */
const START_DEADLINE_MS = 60_000
/** From the first step to a mean return of 475, three or four learners sharing two cores. */
const SOLVE_DEADLINE_MS = 90_000
/** A round, a beacon or a statistics line, with room for lost ones. */
const HEAR_DEADLINE_MS = 30_000

const TOGETHER = ['--wait-for-peers', '2']

const idOf = async (daemon: TestDaemon): Promise<string> => (await daemon.event('listening', START_DEADLINE_MS)).peer
const addressOf = async (daemon: TestDaemon): Promise<string> => {
  const [address] = (await daemon.event('listening', START_DEADLINE_MS)).addresses
  assert.ok(address)
  return address
}

/** The joiner starts from the weights of the peer that it names, as both of them say. */
async function assertSameWeights(joiner: TestDaemon, donor: TestDaemon): Promise<void> {
  const joined = await joiner.event('joined', START_DEADLINE_MS)
  const id = await idOf(joiner)
  const served = await donor.event('served', START_DEADLINE_MS, (event) => event.peer === id)
  assert.deepEqual([joined.from, joined.digest, joined.version], [await idOf(donor), served.digest, served.version])
}

test('three daemons solve CartPole together, survive their founder, and take in a fourth', async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--seed', '1', ...TOGETHER])
  const address = await addressOf(founder)
  const second = TestDaemon.spawn(context, ['join', address, ...TOGETHER])
  const third = TestDaemon.spawn(context, ['join', address, ...TOGETHER])
  const daemons = [founder, second, third]
  const ids = await Promise.all(daemons.map(idOf))
  await assertSameWeights(second, founder)
  await assertSameWeights(third, founder)

  await Promise.all(daemons.map((daemon) => daemon.event('solved', SOLVE_DEADLINE_MS)))
  for (const [index, daemon] of daemons.entries()) {
    const others = ids.filter((id) => id !== ids[index])
    await daemon.event('stats', HEAR_DEADLINE_MS, (stats) => stats.peers === 2)
    for (const other of others) await daemon.event('peer', HEAR_DEADLINE_MS, (peer) => peer.id === other && peer.state === 'alive')
    for (const other of others) await daemon.event('mix', HEAR_DEADLINE_MS, (mix) => mix.with === other)
    assert.deepEqual(
      daemon.all('mix').filter((mix) => !others.includes(mix.with)),
      [],
    )
  }

  await founder.kill()
  const survivors = [second, third]
  const since = survivors.map((daemon) => daemon.events.length)
  await Promise.all(
    survivors.map(async (daemon, index) => {
      const other = ids[index === 0 ? 2 : 1]
      const updates = daemon.all('stats').at(-1)!.updates
      await daemon.event('peer', HEAR_DEADLINE_MS, (peer) => peer.id === ids[0] && peer.state === 'silent', since[index])
      const gone = daemon.events.length
      await daemon.event('mix', HEAR_DEADLINE_MS, (mix) => mix.with === other, gone)
      await daemon.event('stats', HEAR_DEADLINE_MS, (stats) => stats.updates > updates && stats.peers === 1, gone)
    }),
  )

  const fourth = TestDaemon.spawn(context, ['join', await addressOf(third)])
  await assertSameWeights(fourth, third)
  await fourth.event('solved', SOLVE_DEADLINE_MS)
  await fourth.event('mix', HEAR_DEADLINE_MS)
  const living = [second, third, fourth]
  assert.deepEqual(await Promise.all(living.map((daemon) => daemon.terminate())), [0, 0, 0])
  for (const daemon of living) {
    const { steps } = await daemon.event('stopped', HEAR_DEADLINE_MS)
    assert.ok(daemon.all('stats').every((stats) => stats.steps <= steps))
  }
})
