/** Who is let in: private swarms, allow-lists and bans, on real sockets. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Network } from '../../src/ports/network.ts'
import type { SwarmOptions } from '../../src/swarm/host.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const cleanups: (() => unknown)[] = []
after(() => Promise.all(cleanups.map((cleanup) => cleanup())))

let next = 200

async function started(options: Partial<SwarmOptions> = {}): Promise<Network> {
  const network = loopbackSwarm(next++, options)
  await network.start(forever)
  cleanups.push(() => network.stop())
  return network
}

/** The address without the peer id, as a stranger has it. */
const addressOf = (network: Network) => network.addresses()[0]!.replace(/\/p2p\/.*/, '')

async function failure(dialler: Network, address: string): Promise<GrapevineError> {
  const error = await dialler.dial(address, forever).then(
    () => assert.fail('it was let in'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof GrapevineError, String(error))
  assert.equal(error.fault, 'network')
  assert.match(error.message, /^[A-Z][^\n]+$/)
  return error
}

const key = (byte: number) => ({ swarmKey: new Uint8Array(32).fill(byte) })

test('peers with the same swarm key speak to each other', async () => {
  const [a, b] = [await started(key(1)), await started(key(1))]
  assert.equal(await b.dial(addressOf(a), forever), a.id)
})

test('without the key, with another one, or with one where there is none: each is told apart, and the swarm sees nobody', async () => {
  const [secret, open] = [await started(key(1)), await started()]
  const seen: unknown[] = []
  for (const network of [secret, open]) network.onPeer((change) => seen.push(change))
  const keyless = await failure(await started(), addressOf(secret))
  assert.equal(keyless.code, 'swarm_key')
  assert.match(keyless.message, /belongs to a private swarm/)
  const other = await failure(await started(key(2)), addressOf(secret))
  assert.equal(other.code, 'swarm_key')
  assert.match(other.message, /another key/)
  const needless = await failure(await started(key(1)), addressOf(open))
  assert.equal(needless.code, 'swarm_key')
  assert.match(needless.message, /without a key|another key/)
  assert.deepEqual(seen, [])
  assert.deepEqual([secret.peers(), open.peers()], [[], []])
})

test('who is not admitted is told its own id and leaves no trace; who is not wanted is not dialled', async () => {
  const stranger = await started()
  const guarded = await started({ admits: (peer) => peer !== stranger.id })
  const seen: unknown[] = []
  guarded.onPeer((change) => seen.push(change))
  const refused = await failure(stranger, addressOf(guarded))
  assert.equal(refused.code, 'not_admitted')
  assert.ok(refused.message.includes(stranger.id))
  for (const address of [addressOf(stranger), stranger.addresses()[0]!]) {
    assert.equal((await failure(guarded, address)).code, 'unwelcome')
  }
  assert.deepEqual(seen, [])
})

test('what an author says who is not admitted is dropped, although others forward it', async () => {
  const topic = '/grapevine/1/test/beacon'
  const banned = new Set<string>()
  const [author, between] = [await started(), await started()]
  const guarded = await started({ admits: (peer) => !banned.has(peer) })
  const heard: string[] = []
  author.subscribe(topic, 100, () => 'accept')
  between.subscribe(topic, 100, () => 'accept')
  guarded.subscribe(topic, 100, (who) => {
    heard.push(who)
    return 'accept'
  })
  await author.dial(between.addresses()[0]!, forever)
  await guarded.dial(between.addresses()[0]!, forever)
  await until(() => author.subscribers(topic).length === 1 && between.subscribers(topic).length === 2, 'the line of three')
  const say = async (network: Network, count: number) => {
    // Forwarding needs a place in the mesh, which takes a heartbeat.
    for (let i = 0; heard.length < count && i < 50; i++) {
      await network.publish(topic, Uint8Array.of(i, count))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await say(author, 1)
  assert.equal(heard[0], author.id)
  banned.add(author.id)
  const before = heard.filter((who) => who === author.id).length
  await author.publish(topic, Uint8Array.of(99))
  await say(between, heard.length + 1)
  assert.equal(heard.at(-1), between.id)
  assert.equal(heard.filter((who) => who === author.id).length, before)
})
