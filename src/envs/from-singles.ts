/**
 * The vector form of any environment: `count` of them stepped one after another, with same-step autoreset. Whatever they return is checked
 * before it is passed on: an observation or reward that is not finite or has another length throws `observation` or `reward`.
 */
import { GrapevineError } from '../util/errors.ts'
import { checkActions, sizeOf } from './spaces.ts'
import type { BoxSpace, Environment, Space, VectorBuffers, VectorEnvironment } from './types.ts'

/** Takes over `singles` (at least one, all of one kind) and closes them. Offers saved states and pictures where all of them do. */
export function vectorOfSingles(singles: readonly Environment[]): VectorEnvironment {
  const vector: VectorEnvironment = new SinglesVector(singles)
  const saves = singles.every(({ saveState, restoreState }) => saveState !== undefined && restoreState !== undefined)
  const draws = singles.every(({ render }) => render !== undefined)
  return Object.assign(
    vector,
    saves
      ? {
          saveState: () => pack(singles.map((single) => single.saveState!())),
          restoreState: (bytes: Uint8Array) => restore(bytes, singles),
        }
      : {},
    draws ? { render: (row: number) => singles[row]!.render!() } : {},
  )
}

const LENGTH_BYTES = 4

/** Each part behind its length as uint32. */
function pack(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length, true)
    bytes.set(part, at + LENGTH_BYTES)
    at += LENGTH_BYTES + part.length
  }
  return bytes
}

function restore(bytes: Uint8Array, singles: readonly Environment[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: Uint8Array[] = []
  let at = 0
  while (at + LENGTH_BYTES <= bytes.length && parts.length < singles.length) {
    const end = at + LENGTH_BYTES + view.getUint32(at, true)
    parts.push(bytes.subarray(at + LENGTH_BYTES, end))
    at = end
  }
  if (parts.length !== singles.length || at !== bytes.length)
    throw new GrapevineError(
      'state',
      'local',
      'A saved state does not hold one part for each environment: it was saved by another count or version.',
    )
  for (const [row, single] of singles.entries()) single.restoreState!(parts[row]!)
}

class SinglesVector implements VectorEnvironment {
  readonly count: number
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #singles: readonly Environment[]
  readonly #width: number
  readonly #actionWidth: number

  constructor(singles: readonly Environment[]) {
    const [first] = singles
    if (first === undefined) throw new GrapevineError('shape', 'local', 'A vector environment needs at least one environment.')
    this.#singles = singles
    this.count = singles.length
    this.observationSpace = first.observationSpace
    this.actionSpace = first.actionSpace
    this.#width = sizeOf(first.observationSpace)
    this.#actionWidth = sizeOf(first.actionSpace)
  }

  reset(seed: number | null, observations: Float32Array): void {
    for (const [row, single] of this.#singles.entries()) {
      this.#write(single.reset(seed === null ? {} : { seed: seed + row }).observation, observations, row)
    }
  }

  step(actions: Int32Array | Float32Array, out: VectorBuffers): void {
    checkActions(this.actionSpace, actions, this.count)
    const wide = this.#actionWidth
    for (const [row, single] of this.#singles.entries()) {
      const action = actions instanceof Int32Array ? actions[row]! : actions.slice(row * wide, (row + 1) * wide)
      const { observation, reward, terminated, truncated } = single.step(action)
      if (!Number.isFinite(reward))
        throw new GrapevineError(
          'reward',
          'local',
          `The environment returned the reward ${reward}, not a finite number; correct its step().`,
          { row },
        )
      out.rewards[row] = reward
      out.terminated[row] = terminated ? 1 : 0
      out.truncated[row] = truncated ? 1 : 0
      if (terminated || truncated) {
        this.#write(observation, out.finalObservations, row)
        this.#write(single.reset().observation, out.observations, row)
      } else {
        this.#write(observation, out.observations, row)
      }
    }
  }

  restart(flags: Uint8Array, observations: Float32Array): void {
    for (const [row, single] of this.#singles.entries()) if (flags[row] === 1) this.#write(single.reset().observation, observations, row)
  }

  close(): void {
    for (const single of this.#singles) single.close()
  }

  #write(observation: Float32Array, out: Float32Array, row: number): void {
    if (observation.length !== this.#width)
      throw new GrapevineError(
        'observation',
        'local',
        `The environment returned an observation of ${observation.length} numbers, but its space has ${this.#width}; correct one of them.`,
        { row },
      )
    const at = row * this.#width
    for (let i = 0; i < this.#width; i++) {
      const value = observation[i]!
      if (value - value !== 0)
        throw new GrapevineError(
          'observation',
          'local',
          `Element ${i} of the environment's observation is ${value}, not a finite number.`,
          {
            row,
            element: i,
          },
        )
      out[at + i] = value
    }
  }
}
