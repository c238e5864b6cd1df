/**
 * How an actor's environments step through a rollout: one vector, or several side by side whose steps can begin early. Then each part steps, in
 * processes of its own, while the policy acts in the others. The order in which parts act, and draw random numbers, does not depend on how
 * long their steps take: all parts in each step, in turn.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import type { Experience, ExperienceStep } from './experience.ts'
import type { Actions } from './policy-head.ts'
import { environmentFields, randomField, type StateFields } from './state.ts'

/** Who acts in the environments. */
export interface Acting {
  /** Chooses the actions of a step whose observations are there; `first`: the number of its first row. */
  act(step: ExperienceStep, first: number): void
  /** What environments are given for `actions`; the same for the same. */
  executable(actions: Actions): Actions
  /** Final observations were kept in the rollout at the places `from` to before `to`. */
  ended?(from: number, to: number): void
}

interface Part {
  readonly environment: WrappedVector
  /** Rows of the parts before it. */
  readonly first: number
  /** Where the next rollout begins [rows, d]. */
  readonly current: Float32Array
}

export class Parts {
  /** Rows of all parts. */
  readonly count: number
  readonly #parts: readonly Part[]
  #fresh = true

  /** Begins episodes everywhere; row i is seeded with `seed` + i. */
  constructor(environments: readonly WrappedVector[], seed: number) {
    let count = 0
    this.#parts = environments.map((environment) => {
      const first = count
      count += environment.count
      const current = new Float32Array(environment.count * environment.observationSpace.low.length)
      environment.reset(seed + first, current)
      return { environment, first, current }
    })
    this.count = count
  }

  /** Fills `into` with the next steps under the policy after `version` updates. */
  collect(into: Experience, version: number, acting: Acting): void {
    into.version = version
    into.fresh = this.#fresh
    this.#fresh = false
    let finals = 0
    for (const part of this.#parts) {
      const first = rowsOf(into, part)[0]!
      first.observations.set(part.current)
      begin(part, first, acting)
    }
    for (let t = 0; t < into.steps.length; t++) {
      for (const part of this.#parts) {
        const rows = rowsOf(into, part)
        const step = rows[t]!
        part.environment.step(acting.executable(step.actions), step.out)
        step.rawRewards.set(part.environment.rawRewards ?? step.out.rewards)
        const before = finals
        finals = keepFinals(step.out, into.finalObservations, finals)
        if (finals > before) acting.ended?.(before, finals)
        const next = rows[t + 1]
        if (next === undefined) part.current.set(step.out.observations)
        else begin(part, next, acting)
      }
    }
  }

  /** Where the next rollout begins, and the actor's `random`; false where environments began anew. */
  state(fields: StateFields, random: SeededRandom): boolean {
    randomField(fields, 'random', random)
    // Those that come in several parts live in other processes and cannot be saved.
    const goesOn = this.#parts.map(({ environment, current }) => environmentFields(fields, environment, current, random)).every(Boolean)
    if (fields.restoring) this.#fresh = !goesOn
    return goesOn
  }

  close(): void {
    for (const { environment } of this.#parts) environment.close()
  }
}

function rowsOf(into: Experience, { first, environment }: Part): readonly ExperienceStep[] {
  return into.rows(first, environment.count)
}

function begin({ environment, first }: Part, step: ExperienceStep, acting: Acting): void {
  acting.act(step, first)
  environment.begin?.(acting.executable(step.actions))
}

/** Packs the final observations of the rows truncated in this step behind the `count` there are; returns how many there are then. */
function keepFinals({ truncated, finalObservations }: VectorBuffers, into: Float32Array, count: number): number {
  const width = finalObservations.length / truncated.length
  let kept = count
  for (let row = 0; row < truncated.length; row++) {
    if (truncated[row] !== 1) continue
    for (let i = 0; i < width; i++) into[kept * width + i] = finalObservations[row * width + i]!
    kept++
  }
  return kept
}
