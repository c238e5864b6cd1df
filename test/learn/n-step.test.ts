import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NStepTransitions } from '../../src/learn/n-step.ts'
import { assertClose } from './helpers.ts'

/** slot, action, reward, discount, next slot, error */
type Transition = readonly [number, number, number, number, number, number]

function recorded(environments: number, n: number, gamma: number) {
  const transitions: Transition[] = []
  return { transitions, steps: new NStepTransitions(environments, n, gamma, { transition: (...all) => transitions.push(all) }) }
}

function assertTransitions(actual: readonly Transition[], expected: readonly Transition[]): void {
  assert.equal(actual.length, expected.length)
  for (const [i, transition] of expected.entries()) assertClose(actual[i]!, transition, 1e-9, 1e-12)
}

test('three steps and what follows', () => {
  const { transitions, steps } = recorded(1, 3, 0.99)
  for (const [slot, reward] of [1, 0, 2].entries()) {
    steps.follow(0, slot, 100)
    steps.act(0, 7 + slot, 4)
    steps.reward(0, reward)
  }
  assert.equal(transitions.length, 0)
  steps.follow(0, 3, 5)
  // 1 + 0.99 * 0 + 0.99^2 * 2 + 0.99^3 * 5 = 7.811695
  assertTransitions(transitions, [[0, 7, 2.9602, 0.970299, 3, 7.811695 - 4]])
})

test('a step is closed by the value n steps later, each in turn', () => {
  const { transitions, steps } = recorded(1, 2, 0.5)
  for (let t = 0; t < 5; t++) {
    steps.follow(0, t, 10 * t)
    steps.act(0, t, 0)
    steps.reward(0, t + 1)
  }
  assertTransitions(transitions, [
    [0, 0, 1 + 0.5 * 2, 0.25, 2, 2 + 5],
    [1, 1, 2 + 0.5 * 3, 0.25, 3, 3.5 + 7.5],
    [2, 2, 3 + 0.5 * 4, 0.25, 4, 5 + 10],
  ])
})

test('termination closes all open steps without a value and without a trace in the next episode', () => {
  const { transitions, steps } = recorded(1, 3, 0.5)
  for (let t = 0; t < 2; t++) {
    steps.follow(0, t, 50)
    steps.act(0, t, 1)
    steps.reward(0, 4)
  }
  steps.terminate(0)
  assertTransitions(transitions, [
    [0, 0, 4 + 2, 0, 0, 5],
    [1, 1, 4, 0, 1, 3],
  ])
  steps.follow(0, 2, 50)
  steps.act(0, 2, 1)
  steps.reward(0, 1)
  steps.terminate(0)
  assertTransitions(transitions.slice(2), [[2, 2, 1, 0, 2, 0]])
})

test('truncation closes them with the value of the final observation, each with the steps it has', () => {
  const { transitions, steps } = recorded(1, 3, 0.5)
  for (let t = 0; t < 4; t++) {
    steps.follow(0, t, 0)
    steps.act(0, t, 1)
    steps.reward(0, 4)
  }
  steps.truncate(0, 9, 16)
  assertTransitions(transitions, [
    [0, 0, 4 + 2 + 1, 0.125, 3, 6],
    [1, 1, 4 + 2 + 1, 0.125, 9, 7 + 2 - 1],
    [2, 2, 4 + 2, 0.25, 9, 6 + 4 - 1],
    [3, 3, 4, 0.5, 9, 4 + 8 - 1],
  ])
})

test('environments are apart', () => {
  const { transitions, steps } = recorded(2, 1, 0.5)
  for (const row of [0, 1]) {
    steps.follow(row, row, 0)
    steps.act(row, row, 0)
    steps.reward(row, 1 + row)
  }
  steps.terminate(1)
  steps.follow(1, 2, 0)
  steps.follow(0, 3, 8)
  assertTransitions(transitions, [
    [1, 1, 2, 0, 1, 2],
    [0, 0, 1, 0.5, 3, 5],
  ])
})

test('a discount of 0 looks no further, whatever the value there', () => {
  const { transitions, steps } = recorded(1, 1, 0)
  steps.follow(0, 0, 0)
  steps.act(0, 0, 1)
  steps.reward(0, 3)
  steps.follow(0, 1, Number.POSITIVE_INFINITY)
  assertTransitions(transitions, [[0, 0, 3, 0, 1, 2]])
})
