/** The tasks on an engine of ours, exactly as A2C uses it: forward, its loss, backward, clipped Adam step. */
import { ActorCriticLoss } from '../../../src/learn/actor-critic-loss.ts'
import type { Engine, EngineNetwork } from '../../../src/learn/engine.ts'
import { initialParameters } from '../../../src/learn/initialise.ts'
import { createPolicyHead } from '../../../src/learn/policy-head.ts'
import { seededRandom } from '../../../src/util/random.ts'
import { networks, type Task } from './tasks.ts'

const LEARNING_RATE = 3e-4
const MAX_NORM = 0.5
const ENTROPY = 0.01
const VALUE = 0.5

/** One run of `task`, to be called again and again. */
export function prepare(engine: Engine, task: Task): { readonly run: () => void; readonly dispose: () => void } {
  const spec = networks[task.network]
  const network = engine.build(spec, task.batch)
  const parameters = network.allocate()
  network.write(parameters, initialParameters(spec, 1))
  const random = seededRandom('bench', task.network)
  const size = spec.input.reduce((product, length) => product * length, 1)
  // Images are sparse in MinAtar and the sum of a product does not depend on it; MLPs see numbers around 0.
  const image = spec.input.length === 3
  const observations = Float32Array.from({ length: task.batch * size }, () => {
    const u = random.uniform()
    return image ? (u < 0.2 ? 1 : 0) : 4 * u - 2
  })
  const run = task.kind === 'inference' ? inference() : update(network)
  return { run, dispose: () => network.dispose() }

  function inference() {
    return () => {
      network.forward(parameters, observations, task.batch)
      network.output('logits')
      network.output('value')
    }
  }

  function update(network: EngineNetwork) {
    const n = task.batch
    const classes = spec.heads[0]!.size
    const actions = Int32Array.from({ length: n }, () => random.below(classes))
    const advantages = Float32Array.from({ length: n }, () => 2 * random.uniform() - 1)
    const returns = Float32Array.from({ length: n }, () => 2 * random.uniform() - 1)
    const policy = createPolicyHead(network, { kind: 'discrete', n: classes }, n)
    const loss = new ActorCriticLoss(network, policy, n, { valueCoefficient: VALUE, entropyCoefficient: ENTROPY })
    const gradient = network.allocate()
    const optimiser = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 })
    return () => {
      network.forward(parameters, observations, n)
      loss.score(actions)
      loss.differentiate(actions, advantages, returns)
      network.backward(parameters, observations, n, gradient)
      network.step(optimiser, parameters, gradient, LEARNING_RATE, MAX_NORM)
    }
  }
}
