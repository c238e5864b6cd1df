import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TRUST_HALF_LIFE_MS } from '../../src/peer/limits.ts'
import { distrusted, newTrust, trustAt } from '../../src/peer/trust.ts'

describe('trust', () => {
  test('three poisoned frames mute, two do not', () => {
    const once = distrusted(newTrust(0), 'not_finite', 1_000)
    const twice = distrusted(once, 'too_far', 2_000)
    const thrice = distrusted(twice, 'bad_digest', 3_000)
    assert.deepEqual([once.muted, twice.muted, thrice.muted], [false, false, true])
    assert.ok(thrice.score < 0.13)
  })

  test('being a little loud never mutes', () => {
    let trust = newTrust(0)
    for (let second = 1; second <= 60; second++) trust = distrusted(trust, 'rate_limited', 10_000 * second)
    assert.equal(trust.muted, false)
  })

  test('it comes back with its half-life, and then the author is heard again', () => {
    let trust = newTrust(0)
    for (let i = 0; i < 3; i++) trust = distrusted(trust, 'not_finite', 0)
    assert.equal(trust.score, 0.125)
    const later = trustAt(trust, TRUST_HALF_LIFE_MS)
    assert.ok(Math.abs(later.score - (1 - 0.875 / 2)) < 1e-12)
    assert.equal(trustAt(trust, 0.8 * TRUST_HALF_LIFE_MS).muted, true)
    assert.equal(later.muted, false)
  })

  test('a clock that seems to go back changes nothing', () => {
    const trust = distrusted(newTrust(100), 'not_finite', 100)
    assert.equal(trustAt(trust, 50).score, 0.5)
  })
})
