import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BoxSpace, Space } from '../../src/envs/types.ts'
import { ActorCriticLoss } from '../../src/learn/actor-critic-loss.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { initialParameters } from '../../src/learn/initialise.ts'
import { actorCriticNetwork } from '../../src/learn/networks.ts'
import { createPolicyHead } from '../../src/learn/policy-head.ts'
import { seededRandom } from '../../src/util/random.ts'

const OBSERVED: BoxSpace = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }
const THREE: Space = { kind: 'discrete', n: 3 }
const PLANE: Space = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }

for (const actionSpace of [THREE, PLANE]) {
  test(`the gradient of the whole loss agrees with finite differences (${actionSpace.kind})`, async () => {
    const spec = actorCriticNetwork({ torso: [], head: [{ kind: 'dense', units: 4, activation: 'tanh' }] }, OBSERVED, actionSpace)
    const network = (await createEngine('wasm', { deterministic: true })).build(spec, 6)
    const policy = createPolicyHead(network, actionSpace, 6)
    const random = seededRandom(4)
    const canonical = initialParameters(spec, 3).map((value) => value + random.uniform() - 0.5)
    const parameters = network.allocate()
    const observations = Float32Array.from({ length: 12 }, () => 2 * random.uniform() - 1)
    const advantages = Float32Array.of(1.5, -0.7, 0.4, -1.2, 0.9, -0.3)
    const targets = Float32Array.of(0.3, 1.2, -0.8, 0.1, 2, -1)
    const actions = policy.allocate(6)
    network.write(parameters, canonical)
    network.forward(parameters, observations, 6)
    policy.sample(random, actions)
    const loss = new ActorCriticLoss(network, policy, 6, { valueCoefficient: 0.7, entropyCoefficient: 0.1 })
    const at = (values: Float32Array) => {
      network.write(parameters, values)
      network.forward(parameters, observations, 6)
      loss.score(actions)
      assert.ok(loss.differentiate(actions, advantages, targets))
      return loss.total
    }
    at(canonical)
    const arena = network.allocate()
    network.backward(parameters, observations, 6, arena)
    const gradient = new Float32Array(canonical.length)
    network.read(arena, gradient)

    const h = 1 / 128
    let error = 0
    let size = 0
    for (let i = 0; i < canonical.length; i++) {
      const shifted = (by: number) => at(canonical.map((value, j) => (j === i ? value + by : value)))
      const numeric = (shifted(h) - shifted(-h)) / (2 * h)
      error += (numeric - gradient[i]!) ** 2
      size += numeric ** 2
    }
    assert.ok(size > 0.01)
    assert.ok(Math.sqrt(error / size) < 1e-3, `relative error ${Math.sqrt(error / size)}`)
  })
}

test('terms that are not finite are named', async () => {
  const spec = actorCriticNetwork({ torso: [], head: [] }, OBSERVED, THREE)
  const network = (await createEngine('wasm', { deterministic: true })).build(spec, 1)
  const policy = createPolicyHead(network, THREE, 1)
  const parameters = network.allocate()
  const actions = policy.allocate(1)
  const loss = new ActorCriticLoss(network, policy, 1, { valueCoefficient: 0.5, entropyCoefficient: 0 })
  const judge = (advantage: number, target: number) => {
    network.forward(parameters, Float32Array.of(1, 1), 1)
    loss.score(actions)
    return loss.differentiate(actions, Float32Array.of(advantage), Float32Array.of(target)) ? null : loss.badTerms()
  }
  assert.equal(judge(1, 1), null)
  assert.equal(judge(Number.NaN, 1), 'policy loss')
  assert.equal(judge(1, Number.POSITIVE_INFINITY), 'value loss')
  assert.equal(loss.badTerms(), 'value loss')
})
