/** How a wrapper is laid over a vector environment: it says what it changes; everything else, saved states included, passes through. */
import { checkStateLength, packArrays, type StateArray, unpackArrays } from '../memory.ts'
import type { VectorBuffers, VectorEnvironment } from '../types.ts'
import type { RunningMoments } from './moments.ts'

/** A wrapped environment, and what of the wrapper others need to see. */
export interface Layer {
  readonly environment: VectorEnvironment
  /** Statistics that belong to the replica. */
  readonly moments?: RunningMoments
  /** [n] rewards of the last step as they were before this wrapper changed them. */
  readonly rawRewards?: Float32Array
}

export interface Changes extends Partial<Pick<VectorEnvironment, 'observationSpace' | 'actionSpace'>> {
  reset?(seed: number | null, observations: Float32Array): void
  step?(actions: Int32Array | Float32Array, out: VectorBuffers): void
  /** Of a wrapper that changes actions, where the inner environment has `begin`; null: it changes them anew whenever it is asked, so its steps cannot begin early. */
  begin?: ((actions: Int32Array | Float32Array) => void) | null
  /** Called after the inner environment wrote the first observations of the flagged rows. */
  restarted?(flags: Uint8Array, observations: Float32Array): void
  /** Replaces restart altogether, where the inner rows are of another size. */
  restart?(flags: Uint8Array, observations: Float32Array): void
}

/** `inner` with `changes`; `memory` is the wrapper's own state, saved in front of the inner one's. */
export function overlay(inner: VectorEnvironment, changes: Changes, memory: readonly StateArray[] = []): VectorEnvironment {
  const { restarted } = changes
  const ownBytes = memory.reduce((sum, array) => sum + array.byteLength, 0)
  const restart =
    changes.restart ??
    ((flags: Uint8Array, observations: Float32Array) => {
      inner.restart?.(flags, observations)
      restarted?.(flags, observations)
    })
  return {
    count: inner.count,
    observationSpace: changes.observationSpace ?? inner.observationSpace,
    actionSpace: changes.actionSpace ?? inner.actionSpace,
    reset: changes.reset ?? ((seed, observations) => inner.reset(seed, observations)),
    step: changes.step ?? ((actions, out) => inner.step(actions, out)),
    close: () => inner.close(),
    ...(inner.begin === undefined || changes.begin === null
      ? {}
      : { begin: changes.begin ?? ((actions: Int32Array | Float32Array) => inner.begin!(actions)) }),
    ...(inner.ignore === undefined ? {} : { ignore: (flags: Uint8Array | null) => inner.ignore!(flags) }),
    ...(inner.restart === undefined ? {} : { restart }),
    ...(inner.render === undefined ? {} : { render: (row: number) => inner.render!(row) }),
    ...(inner.saveState === undefined || inner.restoreState === undefined
      ? {}
      : {
          saveState() {
            const rest = inner.saveState!()
            const bytes = new Uint8Array(ownBytes + rest.length)
            bytes.set(packArrays(memory))
            bytes.set(rest, ownBytes)
            return bytes
          },
          restoreState(bytes: Uint8Array) {
            if (bytes.length < ownBytes) checkStateLength(bytes, ownBytes)
            inner.restoreState!(bytes.subarray(ownBytes))
            unpackArrays(bytes.subarray(0, ownBytes), memory)
          },
        }),
  }
}

/** Calls `visit` with the index of every row whose episode ended in the last step. */
export function forEnded(out: VectorBuffers, visit: (row: number) => void): void {
  const { terminated, truncated } = out
  for (let row = 0; row < terminated.length; row++) if ((terminated[row]! | truncated[row]!) !== 0) visit(row)
}
