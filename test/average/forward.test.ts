import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { broadcastDelta } from '../../src/average/broadcast.ts'
import { broughtForward, cameEvenly, shareAfter } from '../../src/average/forward.ts'

describe('snapshots of a while ago', () => {
  test('the share of our way that came after them', () => {
    assert.equal(shareAfter(150, 100, 200), 0.5)
    assert.equal(shareAfter(125, 100, 200), 0.75)
    // They came after our own snapshot, or before the last mix.
    assert.equal(shareAfter(201, 100, 200), 0)
    assert.equal(shareAfter(90, 100, 200), 1)
    assert.equal(shareAfter(150, Number.NEGATIVE_INFINITY, 200), 0)
    assert.equal(shareAfter(150, 200, 200), 0)
  })

  test('move on as we did', () => {
    const theirs = Float32Array.of(1, -1)
    assert.deepEqual(broughtForward(theirs, 0.25, Float32Array.of(10, 20), Float32Array.of(14, 12)), Float32Array.of(2, -3))
    assert.deepEqual(theirs, Float32Array.of(1, -1))
    assert.equal(broughtForward(theirs, 0, Float32Array.of(10, 20), Float32Array.of(14, 12)), theirs)
  })

  test('are brought forward only where rounds come evenly', () => {
    assert.equal(cameEvenly([0, 200, 410, 600]), true)
    assert.equal(cameEvenly([0, 100, 200, 400]), true)
    assert.equal(cameEvenly([0, 100, 200, 401]), false)
    // Three in the burst of an iteration of half a second.
    assert.equal(cameEvenly([0, 10, 20, 500]), false)
    assert.equal(cameEvenly([0, 200, 400]), false)
  })

  // Eight peers learn 1 a round and mix one after another, an eighth of a round apart: seven snapshots, on average half a round old.
  test('cost nothing of what is learned, where taken as they are they cost 30 %', () => {
    assert.ok(Math.abs(advance(8, true) - 1) < 1e-4)
    const lost = advance(8, false)
    assert.ok(Math.abs(lost - 1 / (1 + 7 / 16)) < 1e-3, `${lost}`)
  })

  test('bring the replicas together all the same', () => {
    assert.equal(freely(8, true, 0, (peer) => peer).spread, 7)
    const { spread } = freely(8, true, 60, (peer) => peer)
    assert.ok(spread < 1e-4, `${spread}`)
  })
})

/** Of one round, once the start is forgotten. */
function advance(peers: number, forward: boolean): number {
  return (freely(peers, forward, 120, () => 0).mean - freely(peers, forward, 60, () => 0).mean) / 60
}

/** Replicas of one number that grow by 1 a round, each mixing all the others' last snapshots at its own moment. */
function freely(peers: number, forward: boolean, rounds: number, start: (peer: number) => number) {
  const replicas = Array.from({ length: peers }, (_, peer) => ({
    value: start(peer),
    last: start(peer),
    sent: start(peer),
    sentAt: -1,
    mixedAt: -1,
  }))
  for (let turn = 0; turn < rounds * peers; turn++) {
    const now = turn / peers
    for (const replica of replicas) replica.value += 1 / peers
    const own = replicas[turn % peers]!
    const mine = Float32Array.of(own.value)
    const theirs = replicas
      .filter((other) => other !== own)
      .map(({ sent, sentAt }) => {
        const share = forward ? shareAfter(sentAt, own.mixedAt, now) : 0
        return broughtForward(Float32Array.of(sent), share, Float32Array.of(own.last), mine)
      })
    const delta = new Float32Array(1)
    broadcastDelta(theirs, mine, delta)
    own.sent = own.value
    own.sentAt = now
    own.value += delta[0]!
    own.last = own.value
    own.mixedAt = now
  }
  const values = replicas.map(({ value }) => value)
  const mean = values.reduce((a, b) => a + b) / peers
  return { mean, spread: Math.max(...values) - Math.min(...values) }
}
