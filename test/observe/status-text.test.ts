import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerStatus } from '../../src/observe/events.ts'
import { statusText, table } from '../../src/observe/status-text.ts'

const status: PeerStatus = {
  peer: '12D3KooWself',
  run: '0123456789abcdef0123456789abcdef',
  name: 'CartPole-v1',
  version: 'grapevine/1.0',
  uptimeSeconds: 184,
  addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWself', '/ip4/10.0.0.2/tcp/4001/p2p/12D3KooWself'],
  environment: 'CartPole-v1',
  algorithm: 'a2c',
  strategy: 'broadcast',
  engine: 'tfjs wasm',
  steps: 143_000,
  updates: 3575,
  stepsPerSecond: 35_214,
  returnMean: 476.24,
  episodes: 1200,
  paused: false,
  consensusDistance: 0.0031,
  relayedOnly: false,
  reachable: null,
  peers: [
    {
      id: '12D3KooWone',
      state: 'alive',
      steps: 140_000,
      returnMean: 470.21,
      mixes: 45,
      refused: 0,
      version: 9,
      connected: true,
      relayed: false,
      heardSecondsAgo: 1,
      mixedSecondsAgo: 0,
      trust: 1,
      muted: false,
      causes: {},
    },
    {
      id: '12D3KooWtwo',
      state: 'silent',
      steps: null,
      returnMean: null,
      mixes: 0,
      refused: 3,
      version: null,
      connected: false,
      relayed: false,
      heardSecondsAgo: 9,
      mixedSecondsAgo: null,
      trust: 0.125,
      muted: true,
      causes: { not_finite: 3 },
    },
  ],
  counters: { rounds: 71, refused_not_finite: 3 },
}

test('how a peer is reached is told where it is known', () => {
  const row = (reach: Partial<PeerStatus>) => statusText({ ...status, ...reach }).filter((line) => line.startsWith('connection'))
  assert.deepEqual(row({}), [])
  assert.deepEqual(row({ reachable: true }), ['connection   others can dial this peer'])
  assert.deepEqual(row({ reachable: false }), ['connection   others cannot dial this peer; it dials them, or meets them through relays'])
  assert.deepEqual(row({ reachable: false, relayedOnly: true }), [
    'connection   reachable only through a relay; learning alone until a direct connection is made',
  ])
})

test('what a person sees of a status', () => {
  assert.deepEqual(statusText(status), [
    'run          CartPole-v1 (0123456789ab)',
    'training     CartPole-v1 with a2c (tfjs wasm)',
    'progress     143,000 steps, 35,214/s, 3,575 updates, 1,200 episodes',
    'mean return  476.2 over the last 100 episodes',
    'averaging    broadcast, consensus distance 0.0031',
    'peer         12D3KooWself',
    'addresses    /ip4/127.0.0.1/tcp/4001/p2p/12D3KooWself',
    '             /ip4/10.0.0.2/tcp/4001/p2p/12D3KooWself',
    'up           3 min 4 s',
    'others       1 alive of 2 known',
    'counters     rounds 71, refused_not_finite 3',
    '',
    'PEER         STATE     STEPS  RETURN  MIXES  REFUSED  TRUST       BECAUSE OF',
    '12D3KooWone  alive   140,000   470.2     45        0  1.00',
    '12D3KooWtwo  silent        -       -      0        3  0.13 muted  not_finite 3',
  ])
  assert.equal(statusText({ ...status, peers: [], counters: {} }).at(-1), 'others       0 alive of 0 known')
})

test('tables', () => {
  assert.deepEqual(
    table(
      [
        ['A', 'B'],
        ['long', '1'],
      ],
      [false, true],
    ),
    ['A     B', 'long  1'],
  )
})
