/**
 * Ape-X's actor: steps a vector of environments, each with its own epsilon, and feeds the replay memory with their n-step transitions, whose
 * first priorities come from the Q values it acted by. Nothing is allocated per step but where an episode is truncated.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Episodes } from './episodes.ts'
import { NStepTransitions } from './n-step.ts'
import { requireDiscrete } from './networks.ts'
import { bestAction, duelingValues } from './q-losses.ts'
import type { PrioritisedReplay } from './replay.ts'
import { environmentFields, randomField, type StateFields } from './state.ts'

export interface ApeXActorOptions {
  readonly environment: WrappedVector
  /** Takes at least as many rows as there are environments. */
  readonly network: EngineNetwork
  readonly replay: PrioritisedReplay
  readonly episodes: Episodes
  /** One per environment. */
  readonly epsilons: Float64Array
  readonly nStep: number
  readonly gamma: number
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class ApeXActor {
  /** Rewards so far that were not finite. */
  badRewards = 0
  /** One per environment. */
  readonly epsilons: Float64Array
  readonly #environment: WrappedVector
  readonly #network: EngineNetwork
  readonly #replay: PrioritisedReplay
  readonly #episodes: Episodes
  readonly #transitions: NStepTransitions
  readonly #random: SeededRandom
  readonly #out: VectorBuffers
  readonly #actions: Int32Array
  readonly #q: Float32Array

  constructor({ environment, network, replay, episodes, epsilons, nStep, gamma, seed }: ApeXActorOptions) {
    const count = environment.count
    const observationSize = environment.observationSpace.low.length
    this.epsilons = epsilons
    this.#environment = environment
    this.#network = network
    this.#replay = replay
    this.#episodes = episodes
    this.#transitions = new NStepTransitions(count, nStep, gamma, replay)
    this.#random = seededRandom(seed, 'actions')
    this.#out = {
      observations: new Float32Array(count * observationSize),
      rewards: new Float32Array(count),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
      finalObservations: new Float32Array(count * observationSize),
    }
    this.#actions = new Int32Array(count)
    this.#q = new Float32Array(count * requireDiscrete(environment.actionSpace))
    environment.reset(seed, this.#out.observations)
  }

  /** One step of every environment. */
  step(parameters: Arena): void {
    const { observations, rewards, terminated, truncated } = this.#out
    const count = this.#actions.length
    const width = this.#q.length / count
    this.#network.forward(parameters, observations, count)
    duelingValues(this.#network.output('value'), this.#network.output('advantage'), this.#q)
    for (let row = 0; row < count; row++) {
      const offset = row * width
      const best = bestAction(this.#q, offset, width)
      const action = this.#random.uniform() < this.epsilons[row]! ? this.#random.below(width) : best
      this.#transitions.follow(row, this.#replay.push(observations, row), this.#q[offset + best]!)
      this.#transitions.act(row, action, this.#q[offset + action]!)
      this.#actions[row] = action
    }
    this.#environment.step(this.#actions, this.#out)
    this.#episodes.record(this.#environment.rawRewards ?? rewards, terminated, truncated)
    let cut = 0
    for (let row = 0; row < count; row++) {
      if (!Number.isFinite(rewards[row]!)) this.badRewards++
      this.#transitions.reward(row, rewards[row]!)
      if (terminated[row] === 1) this.#transitions.terminate(row)
      else if (truncated[row] === 1) cut++
    }
    if (cut > 0) this.#truncate(parameters, cut)
  }

  /** `withReplay`: steps that are no complete transitions yet, whose observations lie there. False where the environments began anew. */
  state(fields: StateFields, withReplay: boolean): boolean {
    randomField(fields, 'random', this.#random)
    const goesOn = environmentFields(fields, this.#environment, this.#out.observations, this.#random)
    if (goesOn && withReplay) this.#transitions.state(fields.under('open'))
    return goesOn
  }

  dispose(): void {
    this.#environment.close()
  }

  /** Closes the `cut` episodes that were truncated in this step with the values of their final observations. */
  #truncate(parameters: Arena, cut: number): void {
    const { terminated, truncated, finalObservations } = this.#out
    const count = this.#actions.length
    const width = this.#q.length / count
    const size = finalObservations.length / count
    let packed = 0
    for (let row = 0; row < count; row++) {
      if (truncated[row] !== 1 || terminated[row] === 1) continue
      // Packs the rows in place: row r never moves backwards past one still to be read.
      if (packed !== row) finalObservations.copyWithin(packed * size, row * size, (row + 1) * size)
      packed++
    }
    this.#network.forward(parameters, finalObservations.subarray(0, cut * size), cut)
    const q = this.#q.subarray(0, cut * width)
    duelingValues(this.#network.output('value'), this.#network.output('advantage'), q)
    packed = 0
    for (let row = 0; row < count; row++) {
      if (truncated[row] !== 1 || terminated[row] === 1) continue
      const offset = packed * width
      const slot = this.#replay.push(finalObservations, packed++)
      this.#transitions.truncate(row, slot, q[offset + bestAction(q, offset, width)]!)
    }
  }
}
