import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { eventLine, greeting, liveLine, paint, plainLine, solvedLine } from '../../src/observe/terminal.ts'

const ID = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const HERE = `/ip4/127.0.0.1/tcp/4001/p2p/${ID}`
const THERE = `/ip4/192.168.1.5/tcp/4001/p2p/${ID}`

const stats: Extract<PeerEvent, { event: 'stats' }> = {
  event: 'stats',
  steps: 143_000,
  updates: 3575,
  stepsPerSecond: 35_214,
  returnMean: 476.24,
  episodes: 1200,
  peers: 2,
  consensusDistance: 0.0031,
  bytesIn: 1,
  bytesOut: 2,
}

const facts = {
  joinFlags: [],
  dashboard: null,
  version: '0.1.0',
  environment: 'CartPole-v1',
  algorithm: 'a2c',
  engine: 'tfjs wasm',
  dataDir: '/home/u/.grapevine/default',
  program: 'npm run grapevine --',
  command: 'start' as const,
}

test('the greeting on loopback says how others could reach it and ends with the line to paste', () => {
  assert.deepEqual(greeting({ ...facts, addresses: [HERE] }), [
    'Grapevine 0.1.0: training CartPole-v1 with a2c (tfjs wasm)',
    '  data folder  /home/u/.grapevine/default',
    `  addresses    ${HERE}`,
    '  open to      this machine only; for others: start --lan',
    'Paste this to join:',
    `  npm run grapevine -- join ${HERE}`,
  ])
})

test('the dashboard’s token is shown on a terminal only', () => {
  const lines = (token: string | null) => greeting({ ...facts, addresses: [HERE], dashboard: { url: 'http://127.0.0.1:8080/', token } })
  assert.deepEqual(lines('abc').slice(4, 6), ['  dashboard    http://127.0.0.1:8080/', '  its token    abc'])
  assert.equal(lines(null)[5], '  its token    in /home/u/.grapevine/default/http-token')
})

test('the line to paste names the address that reaches furthest', () => {
  const lines = greeting({ ...facts, command: 'join', addresses: [HERE, THERE] })
  assert.equal(lines[0], 'Grapevine 0.1.0: joined a run that trains CartPole-v1 with a2c (tfjs wasm)')
  assert.deepEqual(lines.slice(2, 4), [`  addresses    ${HERE}`, `               ${THERE}`])
  assert.equal(lines.at(-1), `  npm run grapevine -- join ${THERE}`)
  assert.ok(lines.includes('  open to      other machines that reach these addresses'))
})

test('the line to paste has what a joiner of this run must add', () => {
  const lines = greeting({ ...facts, addresses: [HERE], joinFlags: ['--env', './my-env.ts'] })
  assert.equal(lines.at(-1), `  npm run grapevine -- join ${HERE} --env ./my-env.ts`)
})

test('the live line fits its terminal', () => {
  assert.equal(liveLine(stats, '▁▄█', 80), '143k steps  35.2k/s  return 476.2 ▁▄█  2 peers  distance 0.0031')
  assert.equal(
    liveLine({ ...stats, returnMean: null, stepsPerSecond: null, consensusDistance: null, peers: 1 }, '', 80),
    '143k steps  return -  1 peer',
  )
  assert.equal(liveLine(stats, '▁▄█', 20).length, 20)
})

test('the plain line has whole numbers', () => {
  assert.equal(plainLine(stats), '143,000 steps (35,214/s), 1,200 episodes, mean return 476.2, 2 peers, consensus distance 0.0031')
  assert.equal(
    plainLine({ ...stats, stepsPerSecond: null, consensusDistance: null, peers: 0 }),
    '143,000 steps, 1,200 episodes, mean return 476.2, 0 peers',
  )
})

test('solved', () => {
  const solved = { event: 'solved', steps: 143_000, seconds: 4.13, returnMean: 476.2 } as const
  assert.equal(
    solvedLine(solved, 'CartPole-v1', 'going on, Ctrl-C stops'),
    'solved CartPole-v1: mean return 476.2 over 100 episodes after 143,000 steps in 4.1 s; going on, Ctrl-C stops',
  )
  assert.match(solvedLine(solved, 'CartPole-v1', ''), /in 4\.1 s$/)
})

test('events a person wants to know of', () => {
  const lines = (
    [
      { event: 'joined', run: 'r', from: ID, version: 1500, digest: 'd' },
      { event: 'served', peer: ID, version: 1, digest: 'd' },
      { event: 'peer', id: ID, state: 'alive' },
      { event: 'peer', id: ID, state: 'silent' },
      { event: 'peer', id: ID, state: 'left' },
      { event: 'peer', id: ID, state: 'connecting' },
      { event: 'warning', code: 'x', message: 'a\u001b[2Jb' },
      { event: 'stopped', reason: 'interrupted', steps: 12_000 },
      { event: 'refused', peer: ID, code: 'not_finite' },
      { event: 'mix', with: ID, strategy: 'broadcast', distance: 0, staleness: 0, stalenessMs: 0, bytes: 1 },
    ] as const
  ).map(eventLine)
  assert.deepEqual(lines, [
    'took over the weights of peer ..eQAJU5SA at version 1,500',
    'gave the weights to peer ..eQAJU5SA',
    'peer ..eQAJU5SA is here',
    'peer ..eQAJU5SA has fallen silent',
    'peer ..eQAJU5SA has left',
    null,
    'warning: a [2Jb',
    'stopped after 12,000 steps (interrupted)',
    null,
    null,
  ])
})

test('colours only where they are wanted', () => {
  assert.equal(paint(false).good('x'), 'x')
  assert.equal(paint(true).good('x'), '\u001b[32mx\u001b[0m')
})
