/** The scalar form of a bridged environment, without time limit. `info` is empty: what Python tells beside the step stays there. */
import { episodeOver } from '../rows.ts'
import { asRow, checkActions, sizeOf } from '../spaces.ts'
import type { BoxSpace, Environment, ResetOptions, Space, StepResult } from '../types.ts'
import { Bridge } from './bridge.ts'
import { actionSpaceOf, observationSpaceOf } from './description.ts'
import type { BridgePlan } from './plan.ts'
import { copyFinite, finiteReward } from './vector.ts'

const NO_INFO = Object.freeze({})

export class BridgeSingle implements Environment {
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #bridge: Bridge
  readonly #width: number
  readonly #discrete = new Int32Array(1)
  #phase: 'fresh' | 'running' | 'over' = 'fresh'

  /** `plan` is one of a single row without autoreset. */
  constructor(plan: BridgePlan) {
    this.observationSpace = observationSpaceOf(plan.description)
    this.actionSpace = actionSpaceOf(plan.description)
    this.#bridge = new Bridge(plan)
    this.#width = sizeOf(this.observationSpace)
  }

  reset({ seed, options }: ResetOptions = {}): { observation: Float32Array; info: Readonly<Record<string, unknown>> } {
    this.#bridge.reset(seed ?? (this.#phase === 'fresh' ? 0 : null), null, options === undefined ? '' : JSON.stringify(options))
    this.#phase = 'running'
    return { observation: this.#observation(), info: NO_INFO }
  }

  step(action: number | Float32Array): StepResult {
    if (this.#phase !== 'running') throw episodeOver(this.#phase === 'fresh')
    const actions = asRow(this.actionSpace, action, this.#discrete)
    checkActions(this.actionSpace, actions, 1)
    this.#bridge.actions.set(actions)
    this.#bridge.step()
    const answer = this.#bridge.answer(0)
    const terminated = answer.terminated[0] === 1
    const truncated = answer.truncated[0] === 1
    if (terminated || truncated) this.#phase = 'over'
    return { observation: this.#observation(), reward: finiteReward(answer.rewards[0]!, 0), terminated, truncated, info: NO_INFO }
  }

  close(): void {
    this.#bridge.close()
  }

  #observation(): Float32Array {
    const observation = new Float32Array(this.#width)
    copyFinite(this.#bridge.answer(0).observations, 0, observation, 0, this.#width, this.#width)
    return observation
  }
}
