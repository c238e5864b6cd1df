/**
 * Evaluation of a replica: whole episodes under its frozen policy and frozen normalisers, in environments and on random streams of its own,
 * so that training neither notices nor learns anything. Returns are raw, before any wrapper changed the rewards.
 *
 *   const evaluator = new Evaluator(wrapVector(makeVectorEnv(id, 20), wrappers), spec, engine)
 *   const { returns } = evaluator.evaluate(replica, { episodes: 100, deterministic: true, seed: 7 })
 *
 * Each row plays a fixed share of the episodes, because taking those that end first would favour short ones. Knows neither time nor messages.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { Moments } from '../envs/wrappers/moments.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { NetworkSpec } from '../ports/learner.ts'
import type { Random } from '../ports/random.ts'
import { seededRandom } from '../util/random.ts'
import type { Arena, Engine, EngineNetwork } from './engine.ts'
import { EVALUATION_EPISODE_STEPS } from './limits.ts'
import { requireDiscrete } from './networks.ts'
import { type Actions, createPolicyHead, requireOutput } from './policy-head.ts'
import { bestAction } from './q-losses.ts'

/** The part of a replica that acts. */
export interface ActingReplica {
  /** Canonical parameters. */
  readonly parameters: Float32Array
  /** What its normalising wrappers know, innermost first; empty without such wrappers. */
  readonly normalisers: readonly Moments[]
}

export interface EvaluationOptions {
  /** How many, over all rows. */
  readonly episodes: number
  /** The most probable actions instead of samples. Value-based replicas act greedily either way. */
  readonly deterministic: boolean
  /** Of environments and actions: row i of the environments is seeded with `seed` + i. Equal seeds give equal evaluations. */
  readonly seed: number
}

export interface Evaluation {
  /** Raw returns [episodes], in the order of the rows, each row's in the order played. */
  readonly returns: Float64Array
  /** Lengths in steps [episodes]. */
  readonly lengths: Int32Array
  readonly mean: number
  /** Standard deviation of the returns over the episodes; 0 for one. */
  readonly deviation: number
}

export class Evaluator {
  readonly #environment: WrappedVector
  readonly #network: EngineNetwork
  readonly #parameters: Arena
  readonly #policy: ActingPolicy
  readonly #actions: Actions
  readonly #out: VectorBuffers
  /** [rows] 1: all its episodes are played. */
  readonly #played: Uint8Array

  /** Takes over the environment and freezes its normalisers. Throws `network_mismatch` when the network's outputs do not fit its actions. */
  constructor(environment: WrappedVector, network: NetworkSpec, engine: Engine) {
    const { count, observationSpace } = environment
    const size = observationSpace.low.length
    this.#environment = environment
    for (const moments of environment.moments) moments.frozen = true
    this.#network = engine.build(network, count)
    this.#parameters = this.#network.allocate()
    this.#policy = actingPolicy(this.#network, environment)
    this.#actions = this.#policy.allocate(count)
    this.#played = new Uint8Array(count)
    environment.ignore?.(this.#played)
    this.#out = {
      observations: new Float32Array(count * size),
      rewards: new Float32Array(count),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
      finalObservations: new Float32Array(count * size),
    }
  }

  /** Whether deterministic and stochastic evaluation differ: value-based replicas act greedily either way. */
  get samples(): boolean {
    return this.#policy.samples
  }

  /**
   * Plays the episodes. Throws GrapevineError `shape` where the replica does not fit. An environment without a time limit of its own is left
   * after EVALUATION_EPISODE_STEPS steps per episode; the episode it is in then counts as it stands, those it did not begin as of length 0.
   */
  evaluate(replica: ActingReplica, options: EvaluationOptions): Evaluation {
    const playing = this.play(replica, options)
    for (;;) {
      const { done, value } = playing.next()
      if (done === true) return value
    }
  }

  /** The same with a pause after each step of all rows, for a caller that has other things to do as well. One evaluation at a time. */
  *play(replica: ActingReplica, { episodes, deterministic, seed }: EvaluationOptions): Generator<undefined, Evaluation> {
    const environment = this.#environment
    const { observations, rewards, terminated, truncated } = this.#out
    const rows = environment.count
    this.#network.write(this.#parameters, replica.parameters)
    for (const [i, moments] of environment.moments.entries()) moments.setOwn(replica.normalisers[i] ?? nothing(moments.size))

    const returns = new Float64Array(episodes)
    const lengths = new Int32Array(episodes)
    // Row r plays the episodes next[r] to before end[r].
    const end = Int32Array.from({ length: rows }, (_, row) => Math.ceil(((row + 1) * episodes) / rows))
    const next = Int32Array.of(0, ...end.subarray(0, rows - 1))
    const random = deterministic ? null : seededRandom(seed, 'evaluation')
    let left = episodes
    this.#played.fill(0)
    environment.reset(seed, observations)
    for (let step = end[0]! * EVALUATION_EPISODE_STEPS; left > 0 && step > 0; step--) {
      this.#network.forward(this.#parameters, observations, rows)
      this.#policy.act(random, this.#actions)
      environment.step(this.#policy.executable(this.#actions), this.#out)
      const raw = environment.rawRewards ?? rewards
      for (let row = 0; row < rows; row++) {
        const episode = next[row]!
        if (episode === end[row]) continue
        returns[episode]! += raw[row]!
        lengths[episode]! += 1
        if (terminated[row] !== 1 && truncated[row] !== 1) continue
        next[row]! += 1
        left--
        if (next[row] === end[row]) this.#played[row] = 1
      }
      yield
    }
    return { returns, lengths, ...summary(returns) }
  }

  dispose(): void {
    this.#environment.close()
    this.#network.dispose()
  }
}

export interface ActingPolicy {
  /** Whether it draws its actions, so that the likeliest ones are another policy. */
  readonly samples: boolean
  allocate(rows: number): Actions
  /** One action per row of the last forward; `random` null: the best ones. */
  act(random: Random | null, actions: Actions): void
  executable(actions: Actions): Actions
}

/** By what the network puts out: `advantage` of value-based algorithms, else a policy. */
export function actingPolicy(network: EngineNetwork, { actionSpace, count }: WrappedVector): ActingPolicy {
  if (network.outputs.some(({ name }) => name === 'advantage')) {
    const choices = requireDiscrete(actionSpace)
    requireOutput(network, 'advantage', choices)
    return {
      samples: false,
      allocate: (rows) => new Int32Array(rows),
      act: (_, actions) => {
        const advantages = network.output('advantage')
        for (let row = 0; row < actions.length; row++) actions[row] = bestAction(advantages, row * choices, choices)
      },
      executable: (actions) => actions,
    }
  }
  const policy = createPolicyHead(network, actionSpace, count)
  return {
    samples: true,
    allocate: (rows) => policy.allocate(rows),
    act: (random, actions) => (random === null ? policy.likeliest(actions) : policy.sample(random, actions)),
    executable: (actions) => policy.executable(actions),
  }
}

/** Moments before any sample. */
export function nothing(size: number): Moments {
  return { count: 0, mean: new Float64Array(size), m2: new Float64Array(size) }
}

function summary(returns: Float64Array): { readonly mean: number; readonly deviation: number } {
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length
  const squares = returns.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { mean, deviation: returns.length < 2 ? 0 : Math.sqrt(squares / (returns.length - 1)) }
}
