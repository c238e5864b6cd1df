/**
 * A trained policy that acts alone, one observation at a time: what normalised, stacked, clipped and rescaled in training does so here, too.
 */
import type { ActionStage, ObservationStage, PolicyFacts, PolicyFile } from '../ports/policy.ts'
import { GrapevineError } from '../util/errors.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import { likeliestCategorical, sampleCategorical, sampleGaussian } from './distributions.ts'
import { ForwardPass } from './forward.ts'
import { bestAction } from './q-losses.ts'
import { requireLength } from './shapes.ts'

/** How an action is chosen. */
export interface ActOptions {
  /** The most probable action instead of a sample (default false). Value-based policies always take their best one. */
  readonly deterministic?: boolean
  /** The same seed and observation give the same action; without one, samples go on from those before. */
  readonly seed?: number
}

/** A trained policy that plays one episode at a time. */
export interface Policy {
  /** What it was trained for, and how. */
  readonly facts: PolicyFacts
  /** `observation`: floats in the environment's shape. */
  act(observation: ArrayLike<number>, options?: ActOptions): number | Float32Array
  /** An episode begins: stacked observations of the one before are forgotten. */
  reset(): void
}

/** What is acted by; `q` is that of a model of one's own. */
const ACTING_OUTPUTS = ['logits', 'mean', 'logStd', 'advantage', 'q']

/** A forward pass of one observation: `output` is that of the last `run`, null where there is none of that name. */
export type Pass = Pick<ForwardPass, 'run' | 'output'>

/** The policy of a file that was read. */
export function policyOf({ facts, parameters }: PolicyFile, pass?: Pass): Policy {
  return new NetworkPolicy(facts, pass ?? new ForwardPass(facts, parameters, ACTING_OUTPUTS))
}

class NetworkPolicy implements Policy {
  readonly facts: PolicyFacts
  readonly #forward: Pass
  readonly #stages: readonly Stage[]
  readonly #observed: Float32Array
  readonly #sampled: Float32Array
  readonly #chosen = new Int32Array(1)
  #random: SeededRandom = seededRandom(0, 'policy')

  constructor(facts: PolicyFacts, forward: Pass) {
    this.facts = facts
    this.#forward = forward
    this.#observed = new Float32Array(facts.observationShape.reduce((product, size) => product * size, 1))
    let width = this.#observed.length
    this.#stages = facts.observe.map((stage) => {
      const made = stage.kind === 'stack' ? new Stack(stage, width) : new Normalisation(stage, width)
      width = made.width
      return made
    })
    this.#sampled = new Float32Array(facts.action.kind === 'box' ? facts.action.size : 0)
  }

  act(observation: ArrayLike<number>, { deterministic = false, seed }: ActOptions = {}): number | Float32Array {
    if (typeof observation !== 'object' || observation === null) {
      throw new GrapevineError('shape', 'local', `act takes an observation of ${this.#observed.length} numbers, not ${observation}.`)
    }
    requireLength('observation', observation, this.#observed.length)
    if (seed !== undefined && !Number.isSafeInteger(seed))
      throw new GrapevineError('seed', 'local', `A seed is a whole number, not ${seed}.`)
    this.#observed.set(observation)
    for (let i = 0; i < this.#observed.length; i++) {
      const value = this.#observed[i]!
      if (value - value !== 0)
        throw new GrapevineError('observation', 'local', `Element ${i} of the observation is ${value}, not a finite number.`)
    }
    let x = this.#observed
    for (const stage of this.#stages) x = stage.apply(x)
    this.#forward.run(x)
    if (seed !== undefined) this.#random = seededRandom(seed, 'policy')
    const { action } = this.facts
    return action.kind === 'discrete' ? this.#choose(action.n, deterministic) : this.#move(action.stages, deterministic)
  }

  reset(): void {
    for (const stage of this.#stages) stage.reset()
  }

  #choose(n: number, deterministic: boolean): number {
    const values = this.#forward.output('advantage') ?? this.#forward.output('q')
    if (values !== null) return bestAction(values, 0, n)
    const logits = this.#output('logits')
    if (deterministic) likeliestCategorical(logits, n, this.#chosen)
    else sampleCategorical(logits, n, this.#random, this.#chosen)
    return this.#chosen[0]!
  }

  #move(stages: readonly ActionStage[], deterministic: boolean): Float32Array {
    const mean = this.#output('mean')
    if (deterministic) this.#sampled.set(mean)
    else sampleGaussian(mean, this.#output('logStd'), this.#random, this.#sampled)
    const action = this.#sampled.slice()
    for (const stage of stages) for (let i = 0; i < action.length; i++) action[i] = moved(stage, action[i]!, i)
    return action
  }

  #output(name: string): Float32Array {
    const output = this.#forward.output(name)
    if (output !== null) return output
    throw new GrapevineError('bad_policy', 'local', `The network of this policy has no output "${name}".`, { name })
  }
}

function moved(stage: ActionStage, value: number, i: number): number {
  if (stage.kind === 'clip')
    return Math.min(Math.max(value, stage.low[i] ?? Number.NEGATIVE_INFINITY), stage.high[i] ?? Number.POSITIVE_INFINITY)
  const [from, to] = stage.from
  return stage.low[i]! + ((stage.high[i]! - stage.low[i]!) * (value - from)) / (to - from)
}

interface Stage {
  readonly width: number
  apply(x: Float32Array): Float32Array
  reset(): void
}

type StageOf<K extends ObservationStage['kind']> = Extract<ObservationStage, { kind: K }>

/** As the wrapper normaliseObservations. */
class Normalisation implements Stage {
  readonly width: number
  readonly #mean: readonly number[]
  readonly #scale: readonly number[]
  readonly #clip: number
  readonly #out: Float32Array

  constructor({ mean, variance, clip, epsilon }: StageOf<'normalise'>, width: number) {
    this.width = width
    requireLength('mean', mean, width)
    requireLength('variance', variance, width)
    this.#mean = mean
    this.#scale = variance.map((value) => 1 / Math.sqrt(value + epsilon))
    this.#clip = clip
    this.#out = new Float32Array(width)
  }

  apply(x: Float32Array): Float32Array {
    for (let i = 0; i < x.length; i++) {
      this.#out[i] = Math.min(Math.max((x[i]! - this.#mean[i]!) * this.#scale[i]!, -this.#clip), this.#clip)
    }
    return this.#out
  }

  reset(): void {}
}

/** As the wrapper frameStack: an episode begins with its first observation repeated. */
class Stack implements Stage {
  readonly width: number
  readonly #depth: number
  readonly #stride: number
  readonly #stack: Float32Array
  #begun = false

  constructor({ frames, depth }: StageOf<'stack'>, width: number) {
    this.width = width * frames
    this.#depth = depth
    this.#stride = depth * frames
    this.#stack = new Float32Array(this.width)
  }

  apply(x: Float32Array): Float32Array {
    const depth = this.#depth
    const stride = this.#stride
    for (let cell = 0; cell * depth < x.length; cell++) {
      const at = cell * stride
      const frame = x.subarray(cell * depth, (cell + 1) * depth)
      if (this.#begun) this.#stack.copyWithin(at, at + depth, at + stride)
      for (let to = this.#begun ? at + stride - depth : at; to < at + stride; to += depth) this.#stack.set(frame, to)
    }
    this.#begun = true
    return this.#stack
  }

  reset(): void {
    this.#begun = false
  }
}
