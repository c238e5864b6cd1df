/** The vector form of a bridged environment. Observations and rewards are checked on their way: one that is not finite throws, named by its row. */
import { GrapevineError } from '../../util/errors.ts'
import { checkActions, sizeOf } from '../spaces.ts'
import type { BoxSpace, Space, VectorBuffers, VectorEnvironment } from '../types.ts'
import { Bridge } from './bridge.ts'
import { actionSpaceOf, observationSpaceOf } from './description.ts'
import type { BridgePlan } from './plan.ts'

export class BridgeVector implements VectorEnvironment {
  readonly count: number
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #bridge: Bridge
  readonly #width: number
  #begun = false

  constructor(plan: BridgePlan) {
    this.count = plan.count
    this.observationSpace = observationSpaceOf(plan.description)
    this.actionSpace = actionSpaceOf(plan.description)
    this.#bridge = new Bridge(plan)
    this.#width = sizeOf(this.observationSpace)
  }

  reset(seed: number | null, observations: Float32Array): void {
    this.#checkLength('observations', observations.length, this.count * this.#width)
    // Never seeded, row i starts as if seeded with i, as in every other environment.
    this.#bridge.reset(seed ?? (this.#begun ? null : 0), null)
    this.#begun = true
    for (let lane = 0; lane < this.#bridge.lanes; lane++) {
      const answer = this.#bridge.answer(lane)
      copyFinite(answer.observations, 0, observations, answer.first * this.#width, answer.count * this.#width, this.#width)
    }
  }

  restart(flags: Uint8Array, observations: Float32Array): void {
    this.#checkLength('flags', flags.length, this.count)
    this.#checkLength('observations', observations.length, this.count * this.#width)
    this.#requireBegun()
    this.#bridge.reset(null, flags)
    const width = this.#width
    for (let lane = 0; lane < this.#bridge.lanes; lane++) {
      const answer = this.#bridge.answer(lane)
      for (let i = 0; i < answer.count; i++) {
        if (flags[answer.first + i] === 1)
          copyFinite(answer.observations, i * width, observations, (answer.first + i) * width, width, width)
      }
    }
  }

  begin(actions: Int32Array | Float32Array): void {
    checkActions(this.actionSpace, actions, this.count)
    this.#requireBegun()
    this.#bridge.actions.set(actions)
    this.#bridge.begin()
  }

  step(actions: Int32Array | Float32Array, out: VectorBuffers): void {
    const width = this.#width
    const { observations, rewards, terminated, truncated, finalObservations } = out
    this.#checkLength('observations', observations.length, this.count * width)
    this.#checkLength('final observations', finalObservations.length, this.count * width)
    this.#checkLength('rewards', Math.min(rewards.length, terminated.length, truncated.length), this.count)
    if (!this.#bridge.stepping) this.begin(actions)
    this.#bridge.step()
    for (let lane = 0; lane < this.#bridge.lanes; lane++) {
      const answer = this.#bridge.answer(lane)
      copyFinite(answer.observations, 0, observations, answer.first * width, answer.count * width, width)
      terminated.set(answer.terminated, answer.first)
      truncated.set(answer.truncated, answer.first)
      let ended = 0
      for (let i = 0, row = answer.first; i < answer.count; i++, row++) {
        rewards[row] = finiteReward(answer.rewards[i]!, row)
        if ((terminated[row]! | truncated[row]!) === 0) continue
        copyFinite(answer.finals, ended++ * width, finalObservations, row * width, width, width)
      }
    }
  }

  close(): void {
    this.#bridge.close()
  }

  #requireBegun(): void {
    if (!this.#begun)
      throw new GrapevineError('episode_over', 'local', 'An environment was stepped before its first reset; call reset first.')
  }

  #checkLength(what: string, got: number, expected: number): void {
    if (got !== expected)
      throw new GrapevineError('shape', 'local', `The array of ${what} has ${got} elements where this environment writes ${expected}.`, {
        expected,
        got,
      })
  }
}

/** Copies `length` numbers; bytes are finite by nature. Rows of the target are `width` numbers. */
export function copyFinite(
  from: Float32Array | Uint8Array,
  at: number,
  to: Float32Array,
  toAt: number,
  length: number,
  width: number,
): void {
  if (from instanceof Uint8Array) {
    to.set(from.subarray(at, at + length), toAt)
    return
  }
  for (let i = 0; i < length; i++) {
    const value = from[at + i]!
    if (value - value !== 0) {
      const element = (toAt + i) % width
      const row = (toAt + i - element) / width
      throw new GrapevineError(
        'observation',
        'local',
        `Element ${element} of the observation of row ${row} is ${value}, not a finite number; correct the Python environment.`,
        { row, element },
      )
    }
    to[toAt + i] = value
  }
}

export function finiteReward(reward: number, row: number): number {
  if (Number.isFinite(reward)) return reward
  throw new GrapevineError(
    'reward',
    'local',
    `The reward of row ${row} is ${reward}, not a finite number; correct the Python environment.`,
    {
      row,
    },
  )
}
