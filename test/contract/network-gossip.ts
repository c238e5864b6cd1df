/** What every network promises of gossip. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network } from '../../src/ports/network.ts'
import { type NetworkFixture, TOPIC } from './network-fixture.ts'

export function gossipContract(on: NetworkFixture): void {
  test('a message reaches every subscriber, over several hops, with its true author, and not its author', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    const heard = [a, b, c].map((network) => on.listen(network))
    await on.connect(a, b)
    await on.connect(c, b)
    await on.knows(b, 2)
    await on.knows(a, 1)
    await on.knows(c, 1)
    assert.equal(await on.say(a, 'first'), 1)
    await on.until(() => heard[1]!.length === 1)
    // Forwarding may wait for the mesh; what was missed is made up for.
    await on.until(() => heard[2]!.length === 1)
    assert.equal(await on.say(b, 'second'), 2)
    await on.until(() => heard[0]!.length === 1 && heard[2]!.length === 2)
    assert.deepEqual(heard[0], [{ author: b.id, text: 'second' }])
    assert.deepEqual(heard[1], [{ author: a.id, text: 'first' }])
    assert.deepEqual(heard[2], [
      { author: a.id, text: 'first' },
      { author: b.id, text: 'second' },
    ])
  })

  test('publishing to nobody hands the message to nobody and is no error', async () => {
    const [a] = (await on.started(1)) as [Network]
    assert.equal(await on.say(a, 'anyone?'), 0)
    on.listen(a)
    assert.equal(await on.say(a, 'anyone?'), 0)
  })

  test('a peer that unsubscribed is not written to', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    on.listen(b)
    await on.connect(a, b)
    await on.knows(a, 1)
    b.unsubscribe(TOPIC)
    await on.knows(a, 0)
    assert.equal(await on.say(a, 'gone?'), 0)
    const heard = on.listen(b)
    await on.knows(a, 1)
    assert.equal(await on.say(a, 'back'), 1)
    await on.until(() => heard.length === 1)
  })

  test('a rejected message is not forwarded', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    on.listen(a)
    const heardByB = on.listen(b, (text) => text !== 'bad')
    const heardByC = on.listen(c)
    await on.connect(a, b)
    await on.connect(c, b)
    await on.knows(b, 2)
    await on.knows(a, 1)
    await on.say(a, 'bad')
    await on.until(() => heardByB.length === 1)
    await on.say(b, 'good')
    await on.until(() => heardByC.some(({ text }) => text === 'good'))
    assert.deepEqual(heardByC, [{ author: b.id, text: 'good' }])
  })

  test('a neighbour that goes on sending bad messages is not heard any more', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    const heard = on.listen(b, (text) => !text.startsWith('bad'))
    on.listen(c)
    await on.connect(a, b)
    await on.connect(c, b)
    await on.knows(a, 1)
    await on.knows(c, 1)
    let round = 0
    // c's message of a round comes after a's of the round before.
    for (let deaf = false; !deaf; round++) {
      assert.ok(round < 2_000, 'bad messages cost nothing')
      await on.say(a, `bad ${round}`)
      await on.say(c, `fence ${round}`)
      await on.until(() => heard.some(({ text }) => text === `fence ${round}`))
      deaf = round > 0 && !heard.some(({ text }) => text === `bad ${round - 1}`)
    }
    assert.ok(round >= 3, 'one bad message is forgiven')
  })

  test('a message over the limit of its topic is refused before it is sent, and rejected where it arrives', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    const heard = on.listen(b)
    on.listen(c)
    await on.connect(a, b)
    await on.connect(c, b)
    await on.knows(a, 1)
    await on.knows(c, 1)
    const { message } = await on.failsWith('too_large', c.publish(TOPIC, new Uint8Array(101)))
    assert.equal(message, `A message of 101 bytes was not published: ${TOPIC} carries at most 100 bytes.`)
    // a has no limit of its own.
    assert.equal(await on.settled(a.publish(TOPIC, new Uint8Array(101))), 1)
    assert.equal(await on.settled(c.publish(TOPIC, new Uint8Array(100))), 1)
    await on.until(() => heard.length === 1)
    assert.equal(heard[0]!.author, c.id)
  })

  test('a validator that throws costs its message and nothing else', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    const heard = on.listen(b, (text) => {
      if (text === 'trap') throw new Error('a bug')
      return true
    })
    await on.connect(a, b)
    await on.knows(a, 1)
    await on.say(a, 'trap')
    await on.say(a, 'fine')
    await on.until(() => heard.some(({ text }) => text === 'fine'))
  })

  test('the bytes of a message are its own: neither side sees later changes of the array', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    const heard = on.listen(b)
    await on.connect(a, b)
    await on.knows(a, 1)
    const bytes = new TextEncoder().encode('before')
    const publishing = a.publish(TOPIC, bytes)
    bytes.fill(0)
    await on.settled(publishing)
    await on.until(() => heard.length === 1)
    assert.equal(heard[0]!.text, 'before')
  })
}
