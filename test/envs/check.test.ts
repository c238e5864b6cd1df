import assert from 'node:assert/strict'
import { test } from 'node:test'
import { make } from '../../scripts/examples/my-env.ts'
import { checkEnvironment } from '../../src/envs/check.ts'
import { makeEnv } from '../../src/envs/registry.ts'
import { boxSpace } from '../../src/envs/spaces.ts'
import type { Environment, StepResult } from '../../src/envs/types.ts'

test('good environments have no problems', () => {
  assert.deepEqual(checkEnvironment(make), [])
  for (const id of ['CartPole-v1', 'Pendulum-v1', 'MinAtar/Seaquest-v0', 'Spread-v0', 'LunarLander-v3']) {
    assert.deepEqual(
      checkEnvironment(() => makeEnv(id)),
      [],
      id,
    )
  }
})

const good: StepResult = { observation: Float32Array.of(0.5), reward: 0, terminated: false, truncated: false, info: {} }

/** A trivial environment with some of it replaced. */
function broken(part: object): () => Environment {
  return () => ({
    observationSpace: boxSpace([1], 0, 1),
    actionSpace: { kind: 'discrete', n: 2 },
    reset: () => ({ observation: Float32Array.of(0), info: {} }),
    step: () => ({ ...good, observation: Float32Array.of(0.5) }),
    close() {},
    ...part,
  })
}

let shared = 0
const again = Float32Array.of(0.5)
const cases: Record<string, [object, string]> = {
  'no step': [{ step: undefined }, 'The environment has no method step().'],
  'no space': [{ observationSpace: undefined }, "observationSpace must be a box: { kind: 'box', shape, low, high }."],
  'no actions': [{ actionSpace: { kind: 'discrete', n: 0 } }, 'actionSpace.n must be an integer of at least 1, but it is 0.'],
  'bounds crossed': [{ observationSpace: boxSpace([1], 1, 0) }, 'observationSpace has no values at element 0: low is 1, high is 0.'],
  'bounds of another size': [
    { observationSpace: { ...boxSpace([1], 0, 1), shape: [2] } },
    'observationSpace.low must be a Float32Array of 2 numbers.',
  ],
  'bad shape': [
    { observationSpace: { ...boxSpace([1], 0, 1), shape: [] } },
    'observationSpace.shape must be a list of integers of at least 1, but it is [].',
  ],
  'reset throws': [
    {
      reset() {
        throw new Error('no disk')
      },
    },
    'reset() threw "no disk".',
  ],
  'plain array': [{ step: () => ({ ...good, observation: [0.5] }) }, 'step() must return its observation as a Float32Array.'],
  'not finite': [
    { step: () => ({ ...good, observation: Float32Array.of(Number.NaN) }) },
    'step() returned an observation outside observationSpace: element 0 is NaN.',
  ],
  'out of bounds': [
    { step: () => ({ ...good, observation: Float32Array.of(2) }) },
    'step() returned an observation outside observationSpace: element 0 is 2, outside 0 to 1.',
  ],
  'wrong length': [
    { reset: () => ({ observation: new Float32Array(3), info: {} }) },
    'reset() returned an observation outside observationSpace: it has 3 numbers where the space has 1.',
  ],
  'same array': [
    { step: () => ({ ...good, observation: again }) },
    'step() returned the very array that it returned before; return a new one each time.',
  ],
  'no reward': [
    { step: () => ({ ...good, observation: Float32Array.of(0.5), reward: undefined }) },
    'step() returned the reward undefined, not a finite number.',
  ],
  'old flags': [
    { step: () => ({ ...good, observation: Float32Array.of(0.5), terminated: undefined }) },
    'step() must return terminated as true or false, but it is undefined.',
  ],
  'shared state': [
    { step: () => ({ ...good, observation: Float32Array.of((shared++ % 700) / 700) }) },
    'Two environments with the same seed differ; share no state between them and use no Math.random.',
  ],
  'half a save': [{ saveState: () => new Uint8Array(0) }, 'saveState() and restoreState() belong together: offer both or neither.'],
  'empty picture': [
    { render: () => ({ left: 0, right: 0, bottom: 0, top: 1, shapes: [] }) },
    'render() must return a picture: { left, right, bottom, top, background, shapes } with left < right and bottom < top.',
  ],
}

for (const [name, [part, sentence]] of Object.entries(cases)) {
  test(`what is wrong is said: ${name}`, () => {
    const problems = checkEnvironment(broken(part))
    assert.ok(problems.includes(sentence), `${JSON.stringify(problems)} lacks "${sentence}"`)
  })
}

test('a state that is not saved whole is found', () => {
  const forgetful = (): Environment => {
    let steps = 0
    return {
      ...broken({})(),
      reset() {
        steps = 0
        return { observation: Float32Array.of(0), info: {} }
      },
      step: () => ({ ...good, observation: Float32Array.of(++steps / 1000) }),
      saveState: () => new Uint8Array(1),
      restoreState() {},
    }
  }
  assert.deepEqual(checkEnvironment(forgetful), [
    'After restoreState() the environment does not go on as the saved one does; save everything that matters.',
  ])
})

test('a factory that throws or returns nothing is no crash', () => {
  assert.deepEqual(
    checkEnvironment(() => {
      throw new Error('no licence')
    }),
    ['The factory threw "no licence".'],
  )
  assert.deepEqual(checkEnvironment((() => null) as unknown as () => Environment), [
    'The factory must return an environment, but it returned something else.',
  ])
})
