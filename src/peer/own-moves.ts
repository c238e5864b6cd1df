/**
 * How far a peer goes by itself between two mixes: the distance of its next snapshot from where the last mix had left it. One pass over the
 * parameters for each snapshot that goes out, and one for each mix.
 */
import { squaredDistance } from '../average/distance.ts'
import type { TakenSnapshot } from './snapshots.ts'

export class OwnMoves {
  /** Where the last mix left the replica. */
  #reference: Float32Array | null = null
  /** When the snapshot that the reference was made of was taken. */
  #takenAtMs = Number.NEGATIVE_INFINITY

  /** `start`: the parameters before the first own update. */
  begin(start: Float32Array): void {
    this.#reference = start.slice()
  }

  /** Norm of the own updates since the last mix; null before `begin`. */
  measure(snapshot: TakenSnapshot): number | null {
    return this.#reference === null ? null : Math.sqrt(squaredDistance(snapshot.parameters, this.#reference))
  }

  /** Whether a mix of a later snapshot is behind us. */
  isLate(snapshot: TakenSnapshot): boolean {
    return snapshot.takenAtMs < this.#takenAtMs
  }

  /** Where the last mix left the replica, not to be changed, and to be read before the next; null before `begin`. */
  get reference(): Float32Array | null {
    return this.#reference
  }

  /** `delta`, made from `snapshot`, is added to the replica. One that comes late is added to what later ones left. */
  mixed(snapshot: TakenSnapshot, delta: Float32Array): void {
    const reference = this.#reference
    if (reference === null) return
    const late = this.isLate(snapshot)
    if (!late) this.#takenAtMs = snapshot.takenAtMs
    const from = late ? reference : snapshot.parameters
    for (let i = 0; i < reference.length; i++) reference[i] = from[i]! + delta[i]!
  }
}
