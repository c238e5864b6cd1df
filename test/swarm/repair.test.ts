import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/node/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { HALF_OPEN_MS, REPAIR_INTERVAL_MS } from '../../src/swarm/limits.ts'
import { gossipsBothWays, RepairPlan } from '../../src/swarm/repair.ts'
import { rawGossipNode } from './raw-node.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const TOPIC = '/grapevine/1/00112233445566778899/beacon'

test('a link is due when it has been broken for long enough, and again only after the interval', () => {
  const plan = new RepairPlan()
  const links = (a: boolean, b: boolean) =>
    new Map([
      ['a', a],
      ['b', b],
    ])
  assert.deepEqual(plan.due(links(true, false), 0), [])
  assert.deepEqual(plan.due(links(true, false), HALF_OPEN_MS - 1), [])
  assert.deepEqual(plan.due(links(false, false), HALF_OPEN_MS), ['b'])
  // b broke again at once: it has to wait for its interval, a for its own time.
  assert.deepEqual(plan.due(links(false, false), HALF_OPEN_MS + 1), [])
  assert.deepEqual(plan.due(links(false, false), 2 * HALF_OPEN_MS), ['a'])
  assert.deepEqual(plan.due(links(true, false), HALF_OPEN_MS + REPAIR_INTERVAL_MS - 1), [])
  assert.deepEqual(plan.due(links(true, false), HALF_OPEN_MS + REPAIR_INTERVAL_MS), ['b'])
})

test('a link that heals or ends in time starts anew', () => {
  const plan = new RepairPlan()
  plan.due(new Map([['a', false]]), 0)
  plan.due(new Map([['a', true]]), HALF_OPEN_MS - 1)
  assert.deepEqual(plan.due(new Map([['a', false]]), HALF_OPEN_MS), [])
  plan.due(new Map(), HALF_OPEN_MS + 1)
  assert.deepEqual(plan.due(new Map([['a', false]]), 2 * HALF_OPEN_MS), [])
  assert.deepEqual(plan.due(new Map([['a', false]]), 3 * HALF_OPEN_MS), ['a'])
})

test('gossip flows both ways over any of the open connections together', () => {
  const stream = (direction: string, protocol = '/meshsub/1.2.0', status = 'open') => ({ direction, protocol, status })
  const connection = (streams: object[], status = 'open') =>
    ({ streams, status }) as unknown as Parameters<typeof gossipsBothWays>[0][number]
  const [inward, outward] = [stream('inbound'), stream('outbound')]
  assert.ok(gossipsBothWays([connection([inward, outward])]))
  assert.ok(gossipsBothWays([connection([inward]), connection([outward])]))
  assert.ok(!gossipsBothWays([]))
  assert.ok(!gossipsBothWays([connection([inward, inward])]))
  assert.ok(!gossipsBothWays([connection([inward]), connection([outward], 'closing')]))
  assert.ok(!gossipsBothWays([connection([inward, stream('outbound', '/meshsub/1.2.0', 'reset')])]))
  assert.ok(!gossipsBothWays([connection([inward, stream('outbound', '/ipfs/id/1.0.0')])]))
})

for (const direction of ['inbound', 'outbound'] as const) {
  test(`a peer whose ${direction} gossip stream died is connected to again, and gossip flows again`, async () => {
    // Only waiting is hurried; deadlines keep their time, so that a busy machine fails nothing.
    const clock: Clock = { ...systemClock, now: () => systemClock.now() * 50, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) }
    const network = loopbackSwarm(300, { clock })
    const node = await rawGossipNode()
    try {
      const heard: number[] = []
      network.subscribe(TOPIC, 100, (_author, [first]) => {
        heard.push(first!)
        return 'accept'
      })
      await network.start(forever)
      node.services.gossip.subscribe(TOPIC)
      await network.dial(node.getMultiaddrs()[0]!.toString(), forever)
      const flows = async (mark: number) => {
        await until(() => node.services.gossip.getSubscribers(TOPIC).length === 1 && network.subscribers(TOPIC).length === 1, 'subscribing')
        await node.services.gossip.publish(TOPIC, Uint8Array.of(mark))
        await until(() => heard.includes(mark), `message ${mark}`)
      }
      await flows(1)
      const [connection] = node.getConnections()
      const stream = connection!.streams.find(
        (candidate) => candidate.protocol.startsWith('/meshsub/') && candidate.direction === direction,
      )
      stream!.abort(new Error('an accident'))
      const changes: string[] = []
      network.onPeer(({ state }) => changes.push(state))
      await until(() => changes.length >= 2, 'the repair')
      assert.deepEqual(changes, ['disconnected', 'connected'])
      assert.notEqual(node.getConnections()[0], connection)
      await flows(2)
    } finally {
      await network.stop()
      await node.stop()
    }
  })
}
