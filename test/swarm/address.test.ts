import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../../src/swarm/address.ts'
import { GrapevineError } from '../../src/util/errors.ts'

const ED25519 = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const RSA = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'

const understood: Readonly<Record<string, { target: string; peer: string | null }>> = {
  '127.0.0.1:4711': { target: '/ip4/127.0.0.1/tcp/4711', peer: null },
  '192.0.2.7:1': { target: '/ip4/192.0.2.7/tcp/1', peer: null },
  '[::1]:65535': { target: '/ip6/::1/tcp/65535', peer: null },
  '[2001:db8::7]:4711': { target: '/ip6/2001:db8::7/tcp/4711', peer: null },
  'localhost:4711': { target: '/dns/localhost/tcp/4711', peer: null },
  'lab-7.example.org:4711': { target: '/dns/lab-7.example.org/tcp/4711', peer: null },
  '/ip4/127.0.0.1/tcp/4711': { target: '/ip4/127.0.0.1/tcp/4711', peer: null },
  [`/ip4/127.0.0.1/tcp/4711/p2p/${ED25519}`]: { target: '/ip4/127.0.0.1/tcp/4711', peer: ED25519 },
  [`/ip6/::1/tcp/4711/p2p/${ED25519}`]: { target: '/ip6/::1/tcp/4711', peer: ED25519 },
  '/dns4/example.org/tcp/80': { target: '/dns4/example.org/tcp/80', peer: null },
  [`/dns/example.org/tcp/80/p2p/${ED25519}`]: { target: '/dns/example.org/tcp/80', peer: ED25519 },
}

const malformed = [
  '',
  'over there',
  'localhost',
  '127.0.0.1',
  ':4711',
  'localhost:',
  'localhost:port',
  'localhost:0',
  'localhost:65536',
  'localhost:123456',
  '256.0.0.1:4711',
  '1.2.3:4711',
  '::1:4711',
  '[::g]:4711',
  '[fe80::1%eth0]:4711',
  '[127.0.0.1]:4711',
  'two words:4711',
  '-dash.example:4711',
  'http://localhost:4711',
  `127.0.0.1:4711/p2p/${ED25519}`,
  '/',
  '/ip4/127.0.0.1',
  '/ip4/127.0.0.1/tcp/0',
  '/ip4/127.0.0.1/udp/4711/quic-v1',
  '/ip4/127.0.0.1/tcp/4711/ws',
  '/ip4/127.0.0.1/tcp/4711/p2p/nonsense',
  `/ip4/127.0.0.1/tcp/4711/p2p/${RSA}`,
  `/ip4/127.0.0.1/tcp/4711/p2p/${ED25519}/p2p-circuit`,
  `/p2p/${ED25519}`,
  '/memory/3',
  '/unix/tmp/socket',
]

test('multiaddrs and host:port are understood, with and without an identity', () => {
  for (const [text, address] of Object.entries(understood)) assert.deepEqual(parseAddress(text), address, text)
})

test('everything else is malformed, and the message shows how to write it', () => {
  for (const text of malformed) {
    assert.throws(
      () => parseAddress(text),
      (error) =>
        error instanceof GrapevineError &&
        error.code === 'malformed' &&
        error.message.includes(`"${text}"`) &&
        error.message.includes('192.0.2.7:4711'),
      text,
    )
  }
})

test('no text makes the parser fail in another way', () => {
  const isFine = (text: string) => {
    try {
      return parseAddress(text).target.startsWith('/')
    } catch (error) {
      return error instanceof GrapevineError && error.code === 'malformed'
    }
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.ipV6(), fc.stringMatching(/^\/(ip4|ip6|dns|tcp|p2p)?[/a-z0-9.:]{0,40}$/)), isFine),
  )
})
