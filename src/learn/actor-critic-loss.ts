/**
 * The loss that actor-critic algorithms share: policy-gradient loss + value loss - entropy bonus, means over the rows of the last forward pass.
 *
 *   network.forward(parameters, observations, rows)
 *   loss.score(actions)
 *   if (loss.differentiate(actions, advantages, targets)) network.backward(...)
 *
 * Advantages and targets are constants to it.
 */
import type { EngineNetwork } from './engine.ts'
import { policyGradientLoss, valueLoss } from './losses.ts'
import type { Actions, PolicyHead } from './policy-head.ts'

export interface ActorCriticCoefficients {
  readonly valueCoefficient: number
  readonly entropyCoefficient: number
}

const TERMS = ['policy loss', 'value loss', 'entropy'] as const

/** The terms of a `badMask` in words. */
export function namedTerms(mask: number): string {
  const bad = TERMS.filter((_, bit) => (mask & (1 << bit)) !== 0)
  return bad.length === 0 ? 'gradient' : bad.join(' and ')
}

export class ActorCriticLoss {
  policyLoss = 0
  /** Mean squared error, without its coefficient. */
  valueLoss = 0
  /** Nats. */
  entropy = 0
  /** Of the actions scored last [rows]. */
  readonly logProbs: Float32Array
  readonly #network: EngineNetwork
  readonly #policy: PolicyHead
  readonly #coefficients: ActorCriticCoefficients
  readonly #dLogProbs: Float32Array

  constructor(network: EngineNetwork, policy: PolicyHead, rows: number, coefficients: ActorCriticCoefficients) {
    this.logProbs = new Float32Array(rows)
    this.#network = network
    this.#policy = policy
    this.#coefficients = coefficients
    this.#dLogProbs = new Float32Array(rows)
  }

  /** Log-probabilities and entropy of the policy of the last forward pass. */
  score(actions: Actions): void {
    this.entropy = this.#policy.evaluate(actions, this.logProbs)
  }

  /** Writes the gradients of the network's outputs for the actions scored last; false where a term is not finite. All arrays [rows]. */
  differentiate(actions: Actions, advantages: Float32Array, targets: Float32Array): boolean {
    const { valueCoefficient, entropyCoefficient } = this.#coefficients
    const network = this.#network
    this.policyLoss = policyGradientLoss(this.logProbs, advantages, this.#dLogProbs)
    this.valueLoss = valueLoss(network.output('value'), targets, valueCoefficient, network.outputGradient('value'))
    this.#policy.backward(actions, this.#dLogProbs, -entropyCoefficient / this.logProbs.length)
    return Number.isFinite(this.total)
  }

  get total(): number {
    const { valueCoefficient, entropyCoefficient } = this.#coefficients
    return this.policyLoss + valueCoefficient * this.valueLoss - entropyCoefficient * this.entropy
  }

  /** The terms that are not finite ("policy loss and value loss"); `gradient` where all are. */
  badTerms(): string {
    return namedTerms(this.badMask)
  }

  /** The same as a number, for shared memory: one bit for each term. */
  get badMask(): number {
    const terms = [this.policyLoss, this.valueLoss, this.entropy]
    return terms.reduce((mask, value, bit) => mask | (Number.isFinite(value) ? 0 : 1 << bit), 0)
  }

  describe(statistics: Record<string, number>): void {
    statistics['train/policy_loss'] = this.policyLoss
    statistics['train/value_loss'] = this.valueLoss
    statistics['train/entropy_loss'] = -this.entropy
    this.#policy.describe(statistics)
  }
}
