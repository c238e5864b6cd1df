/** The other side's half of an exchange: pulled, passed through the gate, made a difference, and applied. */
import { scalePass } from '../../average/passes.ts'
import type { Moments } from '../../ports/learner.ts'
import type { PeerId } from '../../ports/network.ts'
import { giveBack } from '../../util/memory.ts'
import type { ExchangeId } from '../../wire/exchange.ts'
import type { OwnFrame } from '../frames.ts'
import { type Mixed, weighted } from '../mixing.ts'
import type { StrategyContext } from '../strategies/strategy.ts'
import { type AskingPorts, pullFrame } from './asking.ts'

/** The other side's snapshot, checked, as its difference from ours. */
export interface Theirs {
  readonly incarnation: number
  /** (theirs - mine) / 2 */
  readonly half: Float32Array
  /** Of the whole difference. */
  readonly norm: number
  readonly factor: number
  readonly moments: Moments | null
  readonly mixed: Mixed
}

/** What the other side offers. */
export interface Offered {
  /** First range of its frame. */
  readonly head: Uint8Array
  readonly frameBytes: number
  /** The coordinates that both frames carry. */
  readonly draw: number
}

/** The whole frame of `exchange`'s partner as a difference from `own`; null when anything is wrong with it, or nobody wants it any more. */
export async function takeTheirs(
  context: StrategyContext,
  ports: AskingPorts,
  { partner, id }: { readonly partner: PeerId; readonly id: ExchangeId },
  own: OwnFrame,
  { head, frameBytes, draw }: Offered,
  wanted: () => boolean,
): Promise<Theirs | null> {
  const { clip, clock } = context
  if (frameBytes !== own.bytes.length) {
    context.refuse(partner, 'manifest_mismatch')
    return null
  }
  let bytes: Uint8Array
  try {
    bytes = await pullFrame(ports, partner, id, head, frameBytes, wanted)
  } catch {
    return null
  }
  const received = await context.verify(partner, bytes, { mine: own.mine })
  giveBack(bytes)
  if (!received.ok) return null
  const { author, frame, parameters: half, distance: norm, moments } = received
  // Both frames carry the same coordinates, or their difference means nothing.
  if (frame.epoch !== draw) {
    context.refuse(partner, 'wrong_draw')
    return null
  }
  const [factor = 0] = clip.factors(own, [{ author: partner, norm }])
  const distance = own.norm === 0 ? null : norm / own.norm
  const { normalisers, version, incarnation } = frame
  const mixed = { author, normalisers, version, distance, bytes: bytes.length, receivedAtMs: clock.now() }
  return { incarnation, half, norm, factor, moments, mixed }
}

/**
 * Adds c/2 times the difference to the replica, once: the half becomes what is returned. Both sides have each other's frame by now; the own one and,
 * unless somebody keeps deltas, the half are given back.
 */
export async function applyHalf(context: StrategyContext, factor: number, own: OwnFrame, theirs: Theirs): Promise<Float32Array> {
  const { compute, clip, keepDeltas } = context
  const { half, norm, moments, mixed } = theirs
  const delta = factor === 1 ? half : await compute.pass(scalePass, { values: half, weight: factor }, half.byteLength)
  await context.apply(delta, own, [{ ...mixed, ...weighted(moments, own.epoch, factor / 2) }])
  clip.mixed(own, [{ author: mixed.author.id, norm }], [factor])
  giveBack(own.bytes)
  if (!keepDeltas) giveBack(half)
  return delta
}
