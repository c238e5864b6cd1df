import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { type AddressUse, isRelayed, multiaddrOf, peerOf, readAddress, withPeer } from '../../src/wire/address.ts'

const ID = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const RELAY = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'
const RSA = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'

/** The fault, or null where the text was understood. */
function faultOf(text: string, use: AddressUse = 'dial'): string | null {
  const verdict = readAddress(text, use)
  return 'fault' in verdict ? verdict.fault : null
}

test('multiaddrs and HOST:PORT are understood, with and without an identity', () => {
  const understood: Readonly<Record<string, { target: string; peer: string | null }>> = {
    '127.0.0.1:4711': { target: '/ip4/127.0.0.1/tcp/4711', peer: null },
    '192.0.2.7:1': { target: '/ip4/192.0.2.7/tcp/1', peer: null },
    '[::1]:65535': { target: '/ip6/::1/tcp/65535', peer: null },
    '[2001:db8::7]:4711': { target: '/ip6/2001:db8::7/tcp/4711', peer: null },
    'localhost:4711': { target: '/dns/localhost/tcp/4711', peer: null },
    'lab-7.example.org:4711': { target: '/dns/lab-7.example.org/tcp/4711', peer: null },
    '/ip4/127.0.0.1/tcp/4711': { target: '/ip4/127.0.0.1/tcp/4711', peer: null },
    [`/ip4/10.0.0.7/tcp/65535/p2p/${ID}`]: { target: '/ip4/10.0.0.7/tcp/65535', peer: ID },
    [`/ip6/fe80::1:2/tcp/4001/p2p/${ID}`]: { target: '/ip6/fe80::1:2/tcp/4001', peer: ID },
    '/ip6/::ffff:1.2.3.4/tcp/9': { target: '/ip6/::ffff:1.2.3.4/tcp/9', peer: null },
    '/dns/a/tcp/80': { target: '/dns/a/tcp/80', peer: null },
    '/dns4/example.org/tcp/80': { target: '/dns4/example.org/tcp/80', peer: null },
    [`/dns/example.org/tcp/80/p2p/${ID}`]: { target: '/dns/example.org/tcp/80', peer: ID },
  }
  for (const [text, address] of Object.entries(understood)) assert.deepEqual(readAddress(text, 'dial'), address, text)
})

test('a peer behind a relay is named after the relay', () => {
  const relay = `/ip4/203.0.113.9/tcp/4001/p2p/${RELAY}`
  assert.deepEqual(readAddress(`${relay}/p2p-circuit/p2p/${ID}`, 'dial'), { target: `${relay}/p2p-circuit`, peer: ID, relay })
  const whole = 'it leads through a relay and does not say to whom; copy the whole line that the other peer printed'
  for (const cut of ['/p2p-circuit', '/p2p-circuit/', '/p2p-circuit/p2p', '/p2p-circuit/p2p/12D3Koo'])
    assert.equal(faultOf(relay + cut), whole)
  assert.equal(
    faultOf(`${relay}/p2p-circuit/p2p/${ID}/p2p-circuit`),
    `something follows the peer id; did you mean ${relay}/p2p-circuit/p2p/${ID}?`,
  )
  assert.equal(faultOf(`${relay}/p2p-circuit/p2p/${RELAY}`), `it leads through a relay back to that relay; did you mean ${relay}?`)
  // Through whom is not known without the relay's identity.
  assert.match(faultOf(`/ip4/203.0.113.9/tcp/4001/p2p-circuit/p2p/${ID}`) ?? '', /did you mean/)
  assert.deepEqual([isRelayed(`${relay}/p2p-circuit/p2p/${ID}`), isRelayed(relay)], [true, false])
})

test('to listen, port 0 means any, and an identity is too much', () => {
  assert.deepEqual(readAddress('0.0.0.0:0', 'listen'), { target: '/ip4/0.0.0.0/tcp/0', peer: null })
  assert.equal(
    faultOf(`/ip4/127.0.0.1/tcp/4001/p2p/${ID}`, 'listen'),
    'to listen, leave out what follows the port: /ip4/127.0.0.1/tcp/4001',
  )
})

test('a malformed address gets the nearest valid one', () => {
  assert.equal(faultOf('/ip4/127.0.0.1/tpc/4001'), 'did you mean /ip4/127.0.0.1/tcp/4001?')
  assert.equal(faultOf('/ipv4/127.0.0.1/tcp/4001'), 'did you mean /ip4/127.0.0.1/tcp/4001?')
  assert.equal(faultOf('/ip4/127.0.0.1/tcp/4001/'), 'did you mean /ip4/127.0.0.1/tcp/4001?')
  assert.equal(faultOf('127.0.0.1'), 'it names no port; write 127.0.0.1:PORT')
  assert.equal(faultOf('/ip4/127.0.0.1'), 'it names no port; write /ip4/127.0.0.1/tcp/PORT')
  assert.equal(faultOf('::1'), 'it names no port; write [::1]:PORT')
  assert.equal(faultOf('/ip4/127.0.0.1/tcp/4001/ipfs/x'), 'did you mean /ip4/127.0.0.1/tcp/4001/p2p/x?')
})

test('each part is checked', () => {
  assert.equal(faultOf('/ip4/127.0.0.256/tcp/4001'), '"127.0.0.256" is no IPv4 address')
  assert.equal(faultOf('1.2.3:80'), '"1.2.3" is no IPv4 address')
  assert.equal(faultOf('127.0.0.01:80'), '"127.0.0.01" is no IPv4 address')
  assert.equal(faultOf('[::1::2]:80'), '"::1::2" is no IPv6 address')
  assert.equal(faultOf('127.0.0.1:70000'), 'the port is a number from 1 to 65535, not "70000"')
  assert.equal(faultOf('127.0.0.1:0'), 'the port is a number from 1 to 65535, not "0"')
  assert.equal(faultOf('127.0.0.1:080'), 'the port is a number from 1 to 65535, not "080"')
  assert.equal(faultOf('127.0.0.1:'), 'the port is a number from 1 to 65535, not ""')
  assert.match(faultOf(`/ip4/127.0.0.1/tcp/4001/p2p/${ID.slice(0, -1)}`) ?? '', /^".*" is no peer id; copy the whole line/)
  assert.match(faultOf(`/ip4/127.0.0.1/tcp/4001/p2p/${ID}/tcp/1`) ?? '', /^something follows the peer id/)
  assert.match(faultOf('/ip4/127.0.0.1/udp/4001/quic-v1') ?? '', /TCP/)
  assert.equal(faultOf(''), 'write HOST:PORT or /ip4/HOST/tcp/PORT')
  assert.equal(faultOf('http://example.org:80'), 'it is a link to a page; write example.org:80')
  assert.equal(faultOf('https://example.org/grapevine'), 'it is a link to a page; write example.org:PORT')
  assert.equal(faultOf(`127.0.0.1:4001/p2p/${ID}`), `did you mean /ip4/127.0.0.1/tcp/4001/p2p/${ID}?`)
  assert.equal(faultOf('::1:4001'), 'an IPv6 address before a port stands in brackets; did you mean [::1]:4001?')
})

test('everything else is malformed', () => {
  const malformed = [
    'over there',
    'localhost',
    ':4711',
    'localhost:port',
    'localhost:123456',
    '::1:4711',
    '[::g]:4711',
    '[fe80::1%eth0]:4711',
    '[127.0.0.1]:4711',
    'two words:4711',
    '-dash.example:4711',
    'dash-:4711',
    'a..b:4711',
    `127.0.0.1:4711/p2p/${ID}`,
    '/',
    '/ip4/127.0.0.1/tcp/4711/ws',
    '/ip4/127.0.0.1/tcp/4711/p2p/nonsense',
    `/ip4/127.0.0.1/tcp/4711/p2p/${RSA}`,
    `/p2p/${ID}`,
    '/memory/3',
    '/unix/tmp/socket',
  ]
  for (const text of malformed) assert.notEqual(faultOf(text), null, text)
})

test('an address is written with the peer that it leads to, and names it again', () => {
  const target = '/ip4/127.0.0.1/tcp/4711'
  assert.equal(multiaddrOf({ target, peer: ID }), `${target}/p2p/${ID}`)
  assert.equal(multiaddrOf({ target, peer: null }), target)
  assert.equal(peerOf(`${target}/p2p/${ID}`), ID)
  assert.equal(peerOf(`${target}/p2p/${RELAY}/p2p-circuit/p2p/${ID}`), ID)
  assert.equal(peerOf(target), null)
  assert.equal(withPeer(target, ID), `${target}/p2p/${ID}`)
  assert.equal(withPeer(`${target}/p2p/${RELAY}`, ID), `${target}/p2p/${RELAY}`)
})

test('no text makes the parser fail, and libp2p understands every target', () => {
  const near = fc.stringMatching(/^\/(ip4|ip6|dns|dns4|tcp|p2p)?[/a-z0-9.:]{0,40}$/)
  const hostAndPort = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[a-z0-9._-]{1,20}$/)), fc.nat(70_000))
  const texts = fc.oneof(
    fc.string(),
    fc.ipV6(),
    near,
    hostAndPort.map(([host, port]) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    hostAndPort.map(([host, port]) => `/ip6/${host}/tcp/${port}`),
  )
  const isFine = (text: string) => {
    const verdict = readAddress(text, 'dial')
    return 'fault' in verdict || multiaddr(verdict.target).getComponents().length === 2
  }
  fc.assert(fc.property(texts, isFine), { numRuns: 300 })
})
