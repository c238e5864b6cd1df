/** Real daemons behind real NAT, a relay between them (network namespaces and iptables; skipped where there are none). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'
import { NatNetwork } from '../support/nat.ts'

const DEADLINE_MS = 60_000
const skip = NatNetwork.missing() ?? false

/** A relay that takes part in its run, on a public address. */
async function withRelay(context: Parameters<typeof TestDaemon.spawn>[0]) {
  const network = new NatNetwork()
  context.after(() => network.remove())
  const open = network.open()
  const relay = TestDaemon.spawn(context, ['start', '--relay', '--listen', `${open.host}:4001`, '--no-http', '--wait-for-peers', '9'], open)
  const { addresses, peer } = await relay.event('listening', DEADLINE_MS)
  return { network, relay, relayAddress: addresses[0]!, relayId: peer }
}

test('behind NAT that can be punched two peers meet through a relay, punch, and go on when it is gone', { skip }, async (context) => {
  const { network, relay, relayAddress, relayId } = await withRelay(context)
  const one = TestDaemon.spawn(context, ['join', relayAddress, '--lan', '--no-mdns', '--no-http'], network.behindNat('port'))
  const other = TestDaemon.spawn(context, ['join', relayAddress, '--lan', '--no-mdns', '--no-http'], network.behindNat('port'))
  const [first, second] = [await one.event('listening', DEADLINE_MS), await other.event('listening', DEADLINE_MS)]
  await one.status(DEADLINE_MS, ({ addresses }) => addresses.some((address) => address.includes(`${relayId}/p2p-circuit`)))
  assert.equal((await one.status(DEADLINE_MS, ({ reachable }) => reachable !== null)).reachable, false)
  const met = await one.status(DEADLINE_MS, ({ peers }) =>
    peers.some(({ id, connected, relayed }) => id === second.peer && connected && !relayed),
  )
  assert.equal(met.relayedOnly, false)
  await relay.kill()
  const from = one.events.length
  await one.event('mix', DEADLINE_MS, (event) => event.with === second.peer, from)
  await other.event('mix', DEADLINE_MS, (event) => event.with === first.peer, other.events.length)
})

test('behind NAT that cannot be punched they meet through the relay, and no parameter goes there', { skip }, async (context) => {
  const { network, relayAddress, relayId } = await withRelay(context)
  const one = TestDaemon.spawn(context, ['join', relayAddress, '--lan', '--no-mdns', '--no-http'], network.behindNat('random'))
  await one.event('listening', DEADLINE_MS)
  const { addresses, peer } = await one.status(DEADLINE_MS, (now) =>
    now.addresses.some((address) => address.includes(`${relayId}/p2p-circuit`)),
  )
  const circuit = addresses.find((address) => address.includes('/p2p-circuit'))!
  const other = TestDaemon.spawn(context, ['join', circuit, '--lan', '--no-mdns', '--no-http'], network.behindNat('random'))
  const { code, message } = await other.event('error', DEADLINE_MS)
  assert.equal(code, 'relayed', message)
  assert.match(message, new RegExp(`^Peer ${peer} was met through a relay, but no direct connection to it came about within 10 s`))
  assert.equal((await other.ended).code, 3)
})
