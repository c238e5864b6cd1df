/**
 * The policy part of a network as algorithms use it: sample actions from the outputs of the last forward pass, score given ones, and carry
 * derivatives back to the outputs. One class per kind of action space; which outputs they need: `logits`, or `mean` and the vector `logStd`.
 */
import type { Space } from '../envs/types.ts'
import * as kernels from '../kernels/categorical.ts'
import type { HeadSpec, VectorSpec } from '../ports/learner.ts'
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import { exp } from '../util/maths.ts'
import * as plain from './distributions.ts'
import {
  gaussianEntropy,
  gaussianGradient,
  gaussianLogProbs,
  likeliestCategorical,
  sampleCategorical,
  sampleGaussian,
} from './distributions.ts'
import type { EngineNetwork } from './engine.ts'

/** Int32Array [n] for a discrete action space, Float32Array [n, a] for a box. */
export type Actions = Int32Array | Float32Array

export interface PolicyHead {
  /** Elements of one action. */
  readonly width: number
  /** An array for `rows` actions. */
  allocate(rows: number): Actions
  /** One action per row of the last forward into `actions`. */
  sample(random: Random, actions: Actions): void
  /** The most probable action per row of the last forward into `actions`. */
  likeliest(actions: Actions): void
  /** What the environment is given for `actions`: the same, or clipped to the bounds of a box (in an array that the next call overwrites). */
  executable(actions: Actions): Actions
  /** Log-probabilities of `actions` under the last forward into `logProbs` [n]; returns the mean entropy in nats. */
  evaluate(actions: Actions, logProbs: Float32Array): number
  /** Writes the output gradients for the last `evaluate`: from dL/d(log-probability) [n] and dL/d(entropy) of each sample. */
  backward(actions: Actions, dLogProbs: Float32Array, dEntropy: number): void
  /** Adds what is worth reporting to `statistics`. */
  describe(statistics: Record<string, number>): void
}

/** The outputs that a policy over `actionSpace` needs on top of a network's torso. */
export function policyOutputs(
  actionSpace: Space,
  layers: HeadSpec['layers'],
): { readonly head: HeadSpec; readonly vectors: readonly VectorSpec[] } {
  if (actionSpace.kind === 'discrete') return { head: { name: 'logits', layers, size: actionSpace.n, gain: POLICY_GAIN }, vectors: [] }
  const size = actionSpace.low.length
  return { head: { name: 'mean', layers, size, gain: POLICY_GAIN }, vectors: [{ name: 'logStd', size, initial: 0 }] }
}

/** Gain of the policy's last layer: actions start almost uniform. ["The 37 implementation details of PPO", 2] */
const POLICY_GAIN = 0.01

/** `maxRows` is the largest batch that will be evaluated. Throws GrapevineError `network_mismatch` when the outputs do not fit the actions. */
export function createPolicyHead(network: EngineNetwork, actionSpace: Space, maxRows: number): PolicyHead {
  const { head, vectors } = policyOutputs(actionSpace, [])
  for (const { name, size } of [head, ...vectors]) requireOutput(network, name, size)
  if (actionSpace.kind === 'discrete') return new CategoricalHead(network, actionSpace.n, maxRows)
  return new GaussianHead(network, actionSpace.low, actionSpace.high)
}

/** Throws GrapevineError `network_mismatch` unless the network has this output. */
export function requireOutput(network: EngineNetwork, name: string, size: number): void {
  const found = network.outputs.find((output) => output.name === name)
  if (found?.size === size) return
  const there = found === undefined ? 'it has none of that name' : `its size there is ${found.size}`
  throw new GrapevineError('network_mismatch', 'local', `The network needs an output '${name}' of size ${size} here, but ${there}.`, {
    name,
    size,
  })
}

class CategoricalHead implements PolicyHead {
  readonly width = 1
  readonly #maths: typeof kernels | typeof plain = kernels.hasCategoricalKernels() ? kernels : plain
  readonly #network: EngineNetwork
  readonly #classes: number
  readonly #logPolicy: Float32Array
  readonly #entropies: Float32Array

  constructor(network: EngineNetwork, classes: number, maxRows: number) {
    this.#network = network
    this.#classes = classes
    this.#logPolicy = new Float32Array(maxRows * classes)
    this.#entropies = new Float32Array(maxRows)
  }

  allocate(rows: number): Int32Array {
    return new Int32Array(rows)
  }

  sample(random: Random, actions: Actions): void {
    sampleCategorical(this.#network.output('logits'), this.#classes, random, actions as Int32Array)
  }

  likeliest(actions: Actions): void {
    likeliestCategorical(this.#network.output('logits'), this.#classes, actions as Int32Array)
  }

  executable(actions: Actions): Actions {
    return actions
  }

  evaluate(actions: Actions, logProbs: Float32Array): number {
    const n = logProbs.length
    const logits = this.#network.output('logits')
    const logPolicy = prefix(this.#logPolicy, n * this.#classes)
    const entropies = prefix(this.#entropies, n)
    this.#maths.categoricalLogProbs(logits, this.#classes, actions as Int32Array, logPolicy, logProbs, entropies)
    let sum = 0
    for (let i = 0; i < n; i++) sum += entropies[i]!
    return sum / n
  }

  backward(actions: Actions, dLogProbs: Float32Array, dEntropy: number): void {
    const n = dLogProbs.length
    const dLogits = this.#network.outputGradient('logits')
    const logPolicy = prefix(this.#logPolicy, n * this.#classes)
    const entropies = prefix(this.#entropies, n)
    this.#maths.categoricalGradient(logPolicy, this.#classes, actions as Int32Array, entropies, dLogProbs, dEntropy, dLogits)
  }

  describe(): void {}
}

class GaussianHead implements PolicyHead {
  readonly width: number
  readonly #network: EngineNetwork
  readonly #low: Float32Array
  readonly #high: Float32Array
  #clipped = new Float32Array(0)

  constructor(network: EngineNetwork, low: Float32Array, high: Float32Array) {
    this.width = low.length
    this.#network = network
    this.#low = low
    this.#high = high
  }

  allocate(rows: number): Float32Array {
    return new Float32Array(rows * this.width)
  }

  sample(random: Random, actions: Actions): void {
    sampleGaussian(this.#network.output('mean'), this.#network.output('logStd'), random, actions as Float32Array)
  }

  likeliest(actions: Actions): void {
    actions.set(this.#network.output('mean'))
  }

  executable(actions: Actions): Actions {
    if (this.#clipped.length !== actions.length) this.#clipped = new Float32Array(actions.length)
    for (let i = 0; i < actions.length; i++) {
      const k = i % this.width
      this.#clipped[i] = Math.min(Math.max(actions[i]!, this.#low[k]!), this.#high[k]!)
    }
    return this.#clipped
  }

  evaluate(actions: Actions, logProbs: Float32Array): number {
    const logStd = this.#network.output('logStd')
    gaussianLogProbs(this.#network.output('mean'), logStd, actions as Float32Array, logProbs)
    return gaussianEntropy(logStd)
  }

  backward(actions: Actions, dLogProbs: Float32Array, dEntropy: number): void {
    const network = this.#network
    const dMean = network.outputGradient('mean')
    const dLogStd = network.outputGradient('logStd')
    gaussianGradient(network.output('mean'), network.output('logStd'), actions as Float32Array, dLogProbs, dEntropy, dMean, dLogStd)
  }

  describe(statistics: Record<string, number>): void {
    const logStd = this.#network.output('logStd')
    let sum = 0
    for (let k = 0; k < logStd.length; k++) sum += exp(logStd[k]!)
    statistics['train/std'] = sum / logStd.length
  }
}

/** The first `length` elements; the array itself where that is all of it. */
function prefix(array: Float32Array, length: number): Float32Array {
  return array.length === length ? array : array.subarray(0, length)
}
