/**
 * A policy that plays for a watcher, one step at a time: in an environment and on a random stream of its own, with frozen normalisers, so that
 * training does not notice. It samples its actions as training does; value-based policies take the best. Where several agents share a world,
 * what it thinks is the first one's. Knows neither time nor messages.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { NetworkSpec } from '../ports/learner.ts'
import type { PlayFrame } from '../ports/play.ts'
import type { Random } from '../ports/random.ts'
import { exp } from '../util/maths.ts'
import type { Arena, Engine, EngineNetwork } from './engine.ts'
import { type ActingPolicy, type ActingReplica, actingPolicy, nothing } from './evaluate.ts'
import type { Actions } from './policy-head.ts'

export class Player {
  readonly #environment: WrappedVector
  readonly #network: EngineNetwork
  readonly #parameters: Arena
  readonly #policy: ActingPolicy
  readonly #actions: Actions
  readonly #random: Random
  readonly #out: VectorBuffers
  #version = 0
  #step = 0
  #episode = 0
  #episodeReturn = 0

  /** Takes over the environment: one world. Throws `network_mismatch` when the network's outputs do not fit its actions. */
  constructor(environment: WrappedVector, network: NetworkSpec, engine: Engine, random: Random) {
    const { count, observationSpace } = environment
    const size = count * observationSpace.low.length
    for (const moments of environment.moments) moments.frozen = true
    this.#environment = environment
    this.#network = engine.build(network, count)
    this.#parameters = this.#network.allocate()
    this.#policy = actingPolicy(this.#network, environment)
    this.#actions = this.#policy.allocate(count)
    this.#random = random
    this.#out = {
      observations: new Float32Array(size),
      rewards: new Float32Array(count),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
      finalObservations: new Float32Array(size),
    }
    environment.reset(random.uint32(), this.#out.observations)
  }

  /** The replica that plays from the next step on. */
  load(replica: ActingReplica, version: number): void {
    this.#network.write(this.#parameters, replica.parameters)
    for (const [i, moments] of this.#environment.moments.entries()) moments.setOwn(replica.normalisers[i] ?? nothing(moments.size))
    this.#version = version
  }

  /** Looks, thinks, acts; returns what it saw before it acted. */
  step(): PlayFrame {
    const environment = this.#environment
    const { observations, rewards, terminated, truncated } = this.#out
    const picture = environment.render?.(0) ?? null
    this.#network.forward(this.#parameters, observations, environment.count)
    this.#policy.act(this.#random, this.#actions)
    const frame: PlayFrame = {
      picture,
      action: this.#action(),
      ...this.#thoughts(),
      step: this.#step,
      episodeReturn: this.#episodeReturn,
      episode: this.#episode,
      version: this.#version,
    }
    environment.step(this.#policy.executable(this.#actions), this.#out)
    this.#episodeReturn += (environment.rawRewards ?? rewards)[0]!
    this.#step++
    if (terminated[0] === 1 || truncated[0] === 1) {
      this.#episode++
      this.#step = 0
      this.#episodeReturn = 0
    }
    return frame
  }

  dispose(): void {
    this.#environment.close()
    this.#network.dispose()
  }

  #action(): PlayFrame['action'] {
    const { actionSpace } = this.#environment
    return actionSpace.kind === 'discrete' ? this.#actions[0]! : Array.from(this.#actions.subarray(0, actionSpace.low.length))
  }

  #thoughts(): Pick<PlayFrame, 'probabilities' | 'gaussian' | 'value' | 'actionValues'> {
    const network = this.#network
    const size = (name: string) => network.outputs.find((output) => output.name === name)?.size ?? 0
    const first = (name: string) => network.output(name).subarray(0, size(name))
    const value = size('value') === 0 ? null : first('value')[0]!
    const none = { probabilities: null, gaussian: null, value, actionValues: null }
    if (size('advantage') > 0) {
      const advantages = first('advantage')
      const mean = advantages.reduce((sum, advantage) => sum + advantage, 0) / advantages.length
      const actionValues = Array.from(advantages, (advantage) => (value ?? 0) + advantage - mean)
      return { ...none, value: Math.max(...actionValues), actionValues }
    }
    if (size('mean') > 0) {
      return { ...none, gaussian: { mean: Array.from(first('mean')), deviation: Array.from(first('logStd'), exp) } }
    }
    return { ...none, probabilities: softmax(first('logits')) }
  }
}

function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits)
  const weights = Array.from(logits, (logit) => exp(logit - most))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
