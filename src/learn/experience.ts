/**
 * Rollouts on their way from actors to a learner: T steps of B environments under one policy, with all that off-policy correction needs.
 * One lies in one buffer, which may be shared between threads; row t * B + b. What the learner knows better by then (values) is left out.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { Progress } from '../ports/learner.ts'
import type { Arena } from './engine.ts'
import type { Actions } from './policy-head.ts'
import type { StateFields } from './state.ts'

export interface ExperienceShape {
  /** T */
  readonly steps: number
  /** B */
  readonly environments: number
  /** Floats of one observation. */
  readonly observationSize: number
  /** Elements of one action. */
  readonly actionWidth: number
  readonly discrete: boolean
  /** Whether actors that choose by Q values leave those here. */
  readonly qValues?: boolean
}

/** Where step t of a rollout is written: what the policy saw and did, and what came of it. Final observations are overwritten by the next step. */
export interface ExperienceStep {
  readonly observations: Float32Array
  readonly actions: Actions
  readonly logProbs: Float32Array
  readonly rawRewards: Float32Array
  readonly bestQ: Float32Array
  readonly actionQ: Float32Array
  readonly out: VectorBuffers
}

/** Floats of the head, two doubles: version of the policy, and whether its environments begin here. */
const HEAD_FLOATS = 4

export class Experience {
  readonly shape: ExperienceShape
  /** Which of the learner's environments these are: the number of the first. */
  readonly firstRow: number
  /** [T * B, d] */
  readonly observations: Float32Array
  /** Observations that follow the last step [B, d]. */
  readonly lastObservations: Float32Array
  /** Actions as sampled [T * B, a]. */
  readonly actions: Actions
  /** Log-probabilities of the actions under the policy that took them [T * B]. */
  readonly logProbs: Float32Array
  /** [T * B] */
  readonly rewards: Float32Array
  /** Rewards before any wrapper changed them [T * B]. */
  readonly rawRewards: Float32Array
  /** [T * B], 0 or 1 */
  readonly terminated: Uint8Array
  /** [T * B], 0 or 1 */
  readonly truncated: Uint8Array
  /** The final observations of the truncated episodes, packed in the order of their rows: room for [T * B, d]. */
  readonly finalObservations: Float32Array
  /** Largest Q value of each of those; empty without `qValues`. */
  readonly finalQ: Float32Array
  readonly steps: readonly ExperienceStep[]
  readonly #head: Float64Array
  /** Of all steps: observations [(T + 1) * B, d], Q values, and where environments write final observations [B, d]. */
  readonly #views: Readonly<Record<'observations' | 'bestQ' | 'actionQ' | 'finalObservations', Float32Array>>
  /** Steps of some rows, by the first of them. */
  readonly #rows = new Map<number, { readonly count: number; readonly steps: readonly ExperienceStep[] }>()

  /** `buffer` holds at least `experienceBytes(shape)` from `offset`, a multiple of 8. */
  constructor(shape: ExperienceShape, firstRow = 0, buffer: ArrayBufferLike = new ArrayBuffer(experienceBytes(shape)), offset = 0) {
    const { steps, environments: count, observationSize: width, actionWidth, discrete, qValues = false } = shape
    const rows = steps * count
    let at = offset
    const floats = (length: number) => {
      const view = new Float32Array(buffer, at, length)
      at += length * Float32Array.BYTES_PER_ELEMENT
      return view
    }
    this.shape = shape
    this.firstRow = firstRow
    this.#head = new Float64Array(buffer, at, 2)
    at += HEAD_FLOATS * Float32Array.BYTES_PER_ELEMENT
    const observations = floats((rows + count) * width)
    const actions = floats(rows * actionWidth)
    this.observations = observations.subarray(0, rows * width)
    this.lastObservations = observations.subarray(rows * width)
    this.actions = discrete ? new Int32Array(buffer, actions.byteOffset, actions.length) : actions
    this.logProbs = floats(rows)
    this.rewards = floats(rows)
    this.rawRewards = floats(rows)
    this.finalObservations = floats(rows * width)
    // Of each observation acted in, of each action taken, and of final observations.
    const bestQ = floats(qValues ? rows : 0)
    const actionQ = floats(qValues ? rows : 0)
    this.finalQ = floats(qValues ? rows : 0)
    this.terminated = new Uint8Array(buffer, at, rows)
    this.truncated = new Uint8Array(buffer, at + rows, rows)
    this.#views = { observations, bestQ, actionQ, finalObservations: new Float32Array(count * width) }
    this.steps = this.rows(0, count)
  }

  /** The steps of `count` of the environments, from number `first` on. */
  rows(first: number, count: number): readonly ExperienceStep[] {
    const known = this.#rows.get(first)
    if (known !== undefined && known.count === count) return known.steps
    const { environments, observationSize: width, actionWidth } = this.shape
    const { observations, bestQ, actionQ, finalObservations } = this.#views
    const steps = Array.from({ length: this.shape.steps }, (_, t) => {
      const from = t * environments + first
      const perStep = <V extends Actions | Uint8Array>(view: V, size = 1) => view.subarray(from * size, (from + count) * size) as V
      return {
        observations: perStep(observations, width),
        actions: perStep(this.actions, actionWidth),
        logProbs: perStep(this.logProbs),
        rawRewards: perStep(this.rawRewards),
        bestQ: perStep(bestQ),
        actionQ: perStep(actionQ),
        out: {
          observations: observations.subarray((from + environments) * width, (from + environments + count) * width),
          rewards: perStep(this.rewards),
          terminated: perStep(this.terminated),
          truncated: perStep(this.truncated),
          finalObservations: finalObservations.subarray(first * width, (first + count) * width),
        },
      }
    })
    this.#rows.set(first, { count, steps })
    return steps
  }

  /** Updates of the learner behind the policy that acted. */
  get version(): number {
    return this.#head[0]!
  }

  set version(version: number) {
    this.#head[0] = version
  }

  /** Whether the environments were new or started again, so that no episode goes on from an earlier rollout. */
  get fresh(): boolean {
    return this.#head[1] === 1
  }

  set fresh(fresh: boolean) {
    this.#head[1] = fresh ? 1 : 0
  }
}

/** Bytes of one rollout, a multiple of 8. */
export function experienceBytes({ steps, environments, observationSize, actionWidth, qValues = false }: ExperienceShape): number {
  const rows = steps * environments
  const floats = HEAD_FLOATS + (2 * rows + environments) * observationSize + rows * (actionWidth + (qValues ? 6 : 3))
  return Math.ceil((floats * Float32Array.BYTES_PER_ELEMENT + 2 * rows) / 8) * 8
}

/** Where a learner gets rollouts from: actors in its own thread, or in others. */
export interface ExperienceSource {
  /** Makes `parameters`, the policy after `version` updates, the one that rollouts begin with from now on. */
  publish(parameters: Arena, version: number): void
  /** The next rollout, the caller's until it is released; null: none came for a while, and the caller may see to other things. */
  take(): Experience | null
  release(experience: Experience): void
  /** Crashes and hangs of actor threads; null without threads. */
  readonly faults: Progress['actors']
  /** Adds what is worth reporting. */
  describe(statistics: Record<string, number>): void
  /** False where environments began, or will begin, anew. */
  state(fields: StateFields): boolean
  stop(): void
}
