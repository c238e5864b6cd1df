/**
 * What the thread that makes a bridged environment and the thread that owns its children share: one block of control words, one block with
 * the actions and the answers, and a port for everything rare. Requests are one at a time, but that `close` may come
 * in the middle of another; the caller sleeps on the word PULSE.
 */
import type { MessagePort } from 'node:worker_threads'
import { GrapevineError } from '../../util/errors.ts'
import type { Description } from './description.ts'
import { padded, type RowsLayout, rowsLayout } from './frames.ts'
import { SHARED_BYTES_MAX } from './limits.ts'
import type { BridgeOptions } from './options.ts'

/** Control words. PULSE changes whenever there is news: an answer, or a child that is started again (its deadline begins anew). */
export const PULSE = 0
/** Requests answered so far, modulo 2^32. */
export const ANSWERED = 1
/** 1 when the last answer is a failure, told on the port. */
export const FAILED = 2
/** Children started again so far; each is told on the port. */
export const RESTARTS = 3
/** From here on for each lane: which of its two slots holds the last answer. */
const SLOTS = 4

export type BridgeRequest =
  | 'step'
  | 'close'
  | {
      /** `seed` null: streams go on; `flags` null: every row; `options`: JSON for the environments' reset, or empty. */
      readonly seed: number | null
      readonly flags: Uint8Array | null
      readonly options: string
    }

export type BridgeNotice =
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: 'restarted'; readonly message: string }

/** The rows of one child. */
export interface LanePlan {
  readonly first: number
  readonly layout: RowsLayout
  /** Where its two slots begin; answers take turns, so that the last one stays whole while the next arrives. */
  readonly slots: readonly [number, number]
}

export interface BridgePlan {
  readonly id: string
  readonly count: number
  readonly description: Description
  readonly options: BridgeOptions
  /** Steps after which Python truncates; null: never. */
  readonly maxEpisodeSteps: number | null
  /** Whether an episode that ends is followed by the next in the same step. */
  readonly autoreset: boolean
  readonly control: Int32Array
  /** Actions at 0, then the slots. */
  readonly shared: SharedArrayBuffer
  readonly actionBytesPerRow: number
  readonly lanes: readonly LanePlan[]
}

export interface BridgeThreadData {
  readonly plan: BridgePlan
  readonly port: MessagePort
}

/** Divides `count` rows among the children and lays out the memory. Throws `shape` when that would be too much. */
export function planBridge(
  facts: Pick<BridgePlan, 'id' | 'description' | 'options' | 'maxEpisodeSteps' | 'autoreset'>,
  count: number,
): BridgePlan {
  const { id, description, options } = facts
  const { action } = description
  const actionBytesPerRow = 4 * (action.kind === 'discrete' ? 1 : action.shape.reduce((product, length) => product * length, 1))
  const processes = Math.min(options.processes, count)
  let at = padded(count * actionBytesPerRow)
  const lanes = Array.from({ length: processes }, (_, index): LanePlan => {
    const first = Math.floor((index * count) / processes)
    const layout = rowsLayout(Math.floor(((index + 1) * count) / processes) - first, description)
    const slots = [at, at + padded(layout.maxBytes)] as const
    at += 2 * padded(layout.maxBytes)
    return { first, layout, slots }
  })
  if (at > SHARED_BYTES_MAX)
    throw new GrapevineError(
      'shape',
      'local',
      `${count} rows of ${id} would need ${Math.ceil(at / 1_048_576)} MiB of shared memory, but the bridge takes at most ${SHARED_BYTES_MAX / 1_048_576}; use fewer rows.`,
      { id, count },
    )
  const control = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (SLOTS + processes)))
  return { ...facts, count, control, shared: new SharedArrayBuffer(at), actionBytesPerRow, lanes }
}

/** The slot (0 or 1) of a lane that holds its last answer. */
export function currentSlot(plan: BridgePlan, lane: number): 0 | 1 {
  return Atomics.load(plan.control, SLOTS + lane) as 0 | 1
}

export function flipSlot(plan: BridgePlan, lane: number): void {
  Atomics.xor(plan.control, SLOTS + lane, 1)
}
