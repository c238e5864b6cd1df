import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/util/nearest.ts'

const ids = ['CartPole-v1', 'Acrobot-v1', 'MountainCar-v0', 'MountainCarContinuous-v0', 'Pendulum-v1']

test('the likeliest come first', () => {
  assert.deepEqual(nearest('cartpole-v0', ids), ['CartPole-v1'])
  assert.equal(nearest('MountinCar-v0', ids)[0], 'MountainCar-v0')
  assert.equal(nearest('pendulm', ids)[0], 'Pendulum-v1')
})

test('nothing is offered for a word like none', () => {
  assert.deepEqual(nearest('zzzzzzzzzzzzzzzzzzzzzz', ids), [])
})

test('at most the given number', () => {
  assert.equal(nearest('ab', ['ab', 'ac', 'ad', 'ae', 'af'], 2).length, 2)
})
