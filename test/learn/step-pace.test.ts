import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StepPace } from '../../src/learn/step-pace.ts'

test('waits as long as the steps made are worth, also where an update overshoots', () => {
  const pace = new StepPace(1_000)
  assert.equal(pace.waitMs(5_000, 100), 0)
  assert.equal(pace.waitMs(5_000, 140), 40)
  assert.equal(pace.waitMs(5_030, 140), 10)
  assert.equal(pace.waitMs(5_040, 140), 0)
  assert.equal(pace.waitMs(5_050, 180), 30)
})

test('makes up for a short delay and not for a long one', () => {
  const pace = new StepPace(1_000)
  pace.waitMs(0, 0)
  // 100 ms behind: the next 100 steps come at once.
  assert.equal(pace.waitMs(140, 40), 0)
  assert.equal(pace.waitMs(140, 140), 0)
  assert.equal(pace.waitMs(140, 150), 10)
  // Two seconds behind: it begins anew.
  assert.equal(pace.waitMs(2_150, 150), 0)
  assert.equal(pace.waitMs(2_150, 190), 40)
})

test('waits never without a limit', () => {
  const pace = new StepPace(null)
  for (const steps of [0, 1e6, 1e9]) assert.equal(pace.waitMs(0, steps), 0)
})
