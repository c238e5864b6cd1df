/** What the classic-control environments share: a few float64 numbers of state a row, and NumPy's stream for the resets. */
import type { StateArray } from '../memory.ts'
import { Pcg64Rows } from '../pcg64.ts'
import type { Picture } from '../picture.ts'
import type { Rows } from '../rows.ts'
import type { BoxSpace, Space } from '../types.ts'

export abstract class ClassicRows implements Rows {
  readonly count: number
  readonly agents = 1
  abstract readonly observationSpace: BoxSpace
  abstract readonly actionSpace: Space
  /** [count, numbers of one state] */
  readonly state: Float64Array
  readonly memory: readonly StateArray[]
  protected readonly streams: Pcg64Rows

  /** `extra` is state beside the numbers, to be saved with them. */
  constructor(count: number, numbers: number, extra: readonly StateArray[] = []) {
    this.count = count
    this.state = new Float64Array(count * numbers)
    this.streams = new Pcg64Rows(count)
    this.memory = [this.state, this.streams.words, ...extra]
  }

  seed(row: number, seed: number): void {
    this.streams.seed(row, seed)
  }

  abstract begin(row: number): void
  abstract observe(row: number, out: Float32Array, at: number): void
  abstract step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void
  abstract render(row: number): Picture
}
