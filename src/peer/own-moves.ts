/**
 * How far a peer goes by itself between two mixes: the distance of its next snapshot from where the last mix had left it. One pass over the
 * parameters for each snapshot that goes out and one for each mix, in a helper thread where they are large; in the order of the calls.
 */
import { addPass, distancePass } from '../average/passes.ts'
import type { Compute } from '../ports/workers.ts'
import { giveBack, reuseFloats } from '../util/memory.ts'
import type { TakenSnapshot } from './snapshots.ts'

/** Where a mix left the replica. */
export interface Standing {
  /** [n] */
  readonly parameters: Float32Array
  /** When the snapshot was taken that was mixed; -Infinity before the first mix. */
  readonly takenAtMs: number
}

export class OwnMoves {
  readonly #compute: Compute
  readonly #wanted: boolean
  #turn: Promise<unknown> = Promise.resolve()
  /** Where the last mix left the replica; null before `begin`. */
  #reference: Float32Array | null = null
  /** A reference that somebody else reads. */
  #lent: Float32Array | null = null
  /** When the snapshot that the reference was made of was taken. */
  #takenAtMs = Number.NEGATIVE_INFINITY

  /** `wanted`: whether anybody asks how far; else nothing is kept and nothing known. */
  constructor(compute: Compute, wanted: boolean) {
    this.#compute = compute
    this.#wanted = wanted
  }

  /** `start`: the parameters before the first own update. */
  begin(start: Float32Array): void {
    if (this.#wanted) this.#reference = start.slice()
  }

  /** Norm of the own updates since the last mix; null before `begin`. */
  measure({ parameters }: TakenSnapshot): Promise<number | null> {
    return this.#inTurn(async () => {
      const from = this.#reference
      return from === null ? null : this.#compute.pass(distancePass, { from, to: parameters }, parameters.byteLength)
    })
  }

  /** Where the last mix left the replica; null before `begin`, and where a mix of a later snapshot than this is behind us. */
  before(snapshot: TakenSnapshot): Promise<Standing | null> {
    return this.#inTurn(async () => {
      if (this.#reference === null || this.#isLate(snapshot)) return null
      this.#lent = this.#reference
      return { parameters: this.#reference, takenAtMs: this.#takenAtMs }
    })
  }

  /** `delta`, made from `snapshot`, is added to the replica. One that comes late is added to what later ones left. */
  mixed(snapshot: TakenSnapshot, delta: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#reference
      if (before === null) return
      const late = this.#isLate(snapshot)
      if (!late) this.#takenAtMs = snapshot.takenAtMs
      const into = reuseFloats(delta.length)
      await this.#compute.pass(addPass, { to: late ? before : snapshot.parameters, delta, into }, delta.byteLength)
      this.#reference = into
      if (before !== this.#lent) giveBack(before)
    })
  }

  #isLate(snapshot: TakenSnapshot): boolean {
    return snapshot.takenAtMs < this.#takenAtMs
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work)
    this.#turn = next.catch(() => undefined)
    return next
  }
}
