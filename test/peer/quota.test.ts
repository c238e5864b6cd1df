import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_AUTHORS_PER_ADDRESS, MAX_AUTHORS_PER_SUBNET, QUOTA_MEMORY_MS } from '../../src/peer/limits.ts'
import { MixQuota } from '../../src/peer/quota.ts'
import { networkOf } from '../../src/wire/address-range.ts'

/** Authors are named by where they are: `host#number`; those without a host are not connected. */
function quota({ strict = false, anyPublic = true } = {}) {
  return new MixQuota({
    strict,
    anyPublic: () => anyPublic,
    observed: (author) => (author.startsWith('#') ? null : `/${author.includes(':') ? 'ip6' : 'ip4'}/${author.split('#')[0]}/tcp/1`),
  })
}

const admitted = (limits: MixQuota, host: string, count: number, nowMs = 0) =>
  Array.from({ length: count }, (_, i) => limits.admit(`${host}#${i}`, nowMs)).filter(Boolean).length

test('of one public address so many are mixed and not one more, of its subnet twice as many', () => {
  const limits = quota()
  assert.equal(admitted(limits, '203.0.113.5', MAX_AUTHORS_PER_ADDRESS + 1), MAX_AUTHORS_PER_ADDRESS)
  assert.equal(admitted(limits, '203.0.113.6', 50), MAX_AUTHORS_PER_SUBNET - MAX_AUTHORS_PER_ADDRESS)
  assert.equal(admitted(limits, '203.0.113.7', 1), 0)
  assert.equal(admitted(limits, '203.0.114.5', 50), MAX_AUTHORS_PER_ADDRESS)
  assert.equal(admitted(limits, '2001:db8:1:2::5', 50), MAX_AUTHORS_PER_ADDRESS)
  assert.equal(admitted(limits, '2001:db8:1:2:ffff::1', 1), 0)
  assert.equal(admitted(limits, '2001:db8:1:3::1', 50), MAX_AUTHORS_PER_SUBNET - MAX_AUTHORS_PER_ADDRESS)
})

test('who has a place keeps it while it is mixed, and gives it up when it is not', () => {
  const limits = quota()
  admitted(limits, '203.0.113.5', MAX_AUTHORS_PER_ADDRESS)
  for (let nowMs = 0; nowMs <= 2 * QUOTA_MEMORY_MS; nowMs += QUOTA_MEMORY_MS) assert.ok(limits.admit('203.0.113.5#0', nowMs))
  assert.equal(limits.admit('203.0.113.5#9', 2 * QUOTA_MEMORY_MS), true)
  // #0 and #9 hold theirs, two more are free.
  assert.equal(admitted(limits, '203.0.113.5', 50, 2 * QUOTA_MEMORY_MS), MAX_AUTHORS_PER_ADDRESS)
})

test('private and loopback addresses are exempt unless strict', () => {
  for (const host of ['127.0.0.1', '10.1.2.3', '192.168.0.9', '172.31.0.1', '100.64.0.1', '::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1']) {
    assert.equal(admitted(quota(), host, 50), 50, host)
    assert.equal(admitted(quota({ strict: true }), host, 50), MAX_AUTHORS_PER_ADDRESS, host)
  }
})

test('who is heard through others only shares one address, except where all neighbours are private', () => {
  assert.equal(admitted(quota(), '', 50), MAX_AUTHORS_PER_ADDRESS)
  assert.equal(admitted(quota({ anyPublic: false }), '', 50), 50)
  assert.equal(admitted(quota({ anyPublic: false, strict: true }), '', 50), MAX_AUTHORS_PER_ADDRESS)
})

test('addresses and their networks', () => {
  const place = (address: string) => networkOf(address)
  assert.deepEqual(place('/ip4/8.8.4.4/tcp/1/p2p/x'), { address: '8.8.4.4', subnet: '8.8.4.0/24', isPublic: true })
  assert.deepEqual(place('/ip6/2001:4860::8844/tcp/1'), { address: '2001:4860:0:0::/64', subnet: '2001:4860:0::/48', isPublic: true })
  assert.deepEqual(place('/ip6/::ffff:8.8.4.4/tcp/1'), place('/ip4/8.8.4.4/tcp/1'))
  for (const other of [
    '',
    '/dns4/example.org/tcp/1',
    '/memory/1',
    '/ip4/8.8/tcp/1',
    '/ip6/1::2::3/tcp/1',
    '/ip6/xyz/tcp/1',
    '/ip4/8.8.8.8/tcp/1/p2p/a/p2p-circuit/p2p/b',
  ]) {
    assert.equal(place(other), null, other)
  }
})
