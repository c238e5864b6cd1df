import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressUse, readAddress } from '../../src/peer/address.ts'

const ID = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

function address(text: string, use: AddressUse = 'dial'): string {
  const verdict = readAddress(text, use)
  return 'address' in verdict ? verdict.address : `fault: ${verdict.fault}`
}

test('multiaddrs stay as they are, HOST:PORT becomes one', () => {
  for (const text of [
    '/ip4/127.0.0.1/tcp/4001',
    `/ip4/10.0.0.7/tcp/65535/p2p/${ID}`,
    '/ip6/::1/tcp/1',
    `/ip6/fe80::1:2/tcp/4001/p2p/${ID}`,
    '/ip6/::ffff:1.2.3.4/tcp/9',
    '/dns4/example.org/tcp/4001',
    '/dns/a/tcp/80',
  ]) {
    assert.equal(address(text), text)
  }
  assert.equal(address('127.0.0.1:4001'), '/ip4/127.0.0.1/tcp/4001')
  assert.equal(address('[2001:db8::5]:4001'), '/ip6/2001:db8::5/tcp/4001')
  assert.equal(address('localhost:4001'), '/dns/localhost/tcp/4001')
  assert.equal(address('0.0.0.0:0', 'listen'), '/ip4/0.0.0.0/tcp/0')
})

test('a malformed address gets the nearest valid one', () => {
  assert.equal(address('/ip4/127.0.0.1/tpc/4001'), 'fault: did you mean /ip4/127.0.0.1/tcp/4001?')
  assert.equal(address('/ipv4/127.0.0.1/tcp/4001'), 'fault: did you mean /ip4/127.0.0.1/tcp/4001?')
  assert.equal(address('127.0.0.1'), 'fault: it names no port; write 127.0.0.1:PORT')
  assert.equal(address('/ip4/127.0.0.1'), 'fault: it names no port; write /ip4/127.0.0.1/tcp/PORT')
  assert.equal(address('::1'), 'fault: it names no port; write [::1]:PORT')
  assert.equal(address('/ip4/127.0.0.1/tcp/4001/ipfs/x'), 'fault: did you mean /ip4/127.0.0.1/tcp/4001/p2p/x?')
})

test('each part is checked', () => {
  assert.equal(address('/ip4/127.0.0.256/tcp/4001'), 'fault: "127.0.0.256" is no IPv4 address')
  assert.equal(address('1.2.3:80'), 'fault: "1.2.3" is no IPv4 address')
  assert.equal(address('[::1::2]:80'), 'fault: "::1::2" is no IPv6 address')
  assert.equal(address('127.0.0.1:70000'), 'fault: the port is a number from 1 to 65535, not "70000"')
  assert.equal(address('127.0.0.1:0'), 'fault: the port is a number from 1 to 65535, not "0"')
  assert.equal(address('127.0.0.1:'), 'fault: the port is a number from 1 to 65535, not ""')
  assert.match(address(`/ip4/127.0.0.1/tcp/4001/p2p/${ID.slice(0, -1)}`), /^fault: ".*" is no peer id; copy the whole line/)
  assert.match(address(`/ip4/127.0.0.1/tcp/4001/p2p/${ID}/p2p-circuit`), /^fault: something follows the peer id/)
  assert.match(address(`/ip4/127.0.0.1/tcp/4001/p2p/${ID}`, 'listen'), /^fault: to listen, leave out/)
  assert.match(address('/ip4/127.0.0.1/udp/4001/quic-v1'), /TCP/)
  assert.equal(address(''), 'fault: write HOST:PORT or /ip4/HOST/tcp/PORT')
  assert.equal(address('http://example.org:80'), 'fault: write HOST:PORT or /ip4/HOST/tcp/PORT')
})
