import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consensusLevels, nextPeriod } from '../../src/average/period.ts'

const bounds = { least: 1, most: 500 }

test('rounds come more often where replicas are too far apart and more seldom where they are close, within bounds', () => {
  assert.ok(nextPeriod(20, 0.2, 0.15, bounds) < 20)
  assert.ok(nextPeriod(20, 0.1, 0.15, bounds) > 20)
  assert.equal(nextPeriod(20, 0.15, 0.15, bounds), 20)
  assert.ok(Math.abs(nextPeriod(20, 1e9, 0.15, bounds) - 20 / 1.5) < 1e-9)
  assert.equal(nextPeriod(20, 1e-9, 0.15, bounds), 30)
  assert.equal(nextPeriod(1, 1e9, 0.15, bounds), 1)
  assert.equal(nextPeriod(400, 1e-9, 0.15, bounds), 500)
})

test('what says nothing changes nothing', () => {
  for (const distance of [0, Number.NaN, Number.POSITIVE_INFINITY, -1]) assert.equal(nextPeriod(7, distance, 0.15, bounds), 7)
})

test('it settles where the distance is the target, from either side, also with noise', () => {
  for (const start of [1, 500]) {
    let period = start
    for (let i = 0; i < 60; i++) period = nextPeriod(period, 0.003 * period * (i % 2 === 0 ? 1.1 : 0.9), 0.15, bounds)
    assert.ok(Math.abs(period / 50 - 1) < 0.15, String(period))
  }
})

test('every algorithm has levels, unknown ones the cautious', () => {
  assert.deepEqual(consensusLevels('ppo'), { target: 0.15, danger: 0.5 })
  assert.deepEqual(consensusLevels('toString'), { target: 0.03, danger: 0.1 })
  assert.deepEqual(consensusLevels('mine'), consensusLevels('a2c'))
})
