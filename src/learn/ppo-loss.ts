/**
 * The whole loss of PPO on one minibatch: clipped surrogate + value coefficient * value loss - entropy coefficient * entropy, averaged over
 * the samples, with its derivative by the network's outputs left where `backward` reads them. [Schulman et al. 2017, arXiv 1707.06347]
 */
import type { EngineNetwork } from './engine.ts'
import { clippedSurrogateLoss, clippedValueLoss, type SurrogateStatistics, valueLoss } from './losses.ts'
import type { Samples } from './minibatches.ts'
import type { PolicyHead } from './policy-head.ts'

export interface PpoCoefficients {
  /** Epsilon of the clipped surrogate. */
  clipRange: number
  /** How far a value may move from the old one before its loss stops pulling; null: no clipping. */
  readonly valueClipRange: number | null
  readonly valueCoefficient: number
  readonly entropyCoefficient: number
}

/** What `PpoLoss.evaluate` found: means over the minibatch; one object, reused. */
export interface PpoTerms {
  loss: number
  /** Policy loss, approximate KL and clip fraction. */
  readonly surrogate: SurrogateStatistics
  valueLoss: number
  /** In nats. */
  entropy: number
}

export class PpoLoss {
  readonly terms: PpoTerms = { loss: 0, surrogate: { loss: 0, approximateKl: 0, clipFraction: 0 }, valueLoss: 0, entropy: 0 }
  readonly #network: EngineNetwork
  readonly #policy: PolicyHead
  readonly #logProbs: Float32Array
  readonly #dLogProbs: Float32Array

  /** `maxRows` is the largest minibatch. */
  constructor(network: EngineNetwork, policy: PolicyHead, maxRows: number) {
    this.#network = network
    this.#policy = policy
    this.#logProbs = new Float32Array(maxRows)
    this.#dLogProbs = new Float32Array(maxRows)
  }

  /** Needs the network's forward pass over the minibatch's observations; leaves the output gradients for its backward pass. */
  evaluate(batch: Samples, coefficients: PpoCoefficients): PpoTerms {
    const { clipRange, valueClipRange, valueCoefficient, entropyCoefficient } = coefficients
    const { actions, logProbs: oldLogProbs, values: oldValues, advantages, returns } = batch
    const rows = oldLogProbs.length
    const whole = rows === this.#logProbs.length
    const logProbs = whole ? this.#logProbs : this.#logProbs.subarray(0, rows)
    const dLogProbs = whole ? this.#dLogProbs : this.#dLogProbs.subarray(0, rows)
    const values = this.#network.output('value')
    const dValues = this.#network.outputGradient('value')
    const { terms } = this

    terms.entropy = this.#policy.evaluate(actions, logProbs)
    clippedSurrogateLoss(logProbs, oldLogProbs, advantages, clipRange, dLogProbs, terms.surrogate)
    terms.valueLoss =
      valueClipRange === null
        ? valueLoss(values, returns, valueCoefficient, dValues)
        : clippedValueLoss(values, oldValues, returns, valueClipRange, valueCoefficient, dValues)
    terms.loss = terms.surrogate.loss + valueCoefficient * terms.valueLoss - entropyCoefficient * terms.entropy
    this.#policy.backward(actions, dLogProbs, -entropyCoefficient / rows)
    return terms
  }
}
