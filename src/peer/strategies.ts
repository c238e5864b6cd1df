/** Averaging strategies of this build, and how `auto` chooses among them. */
import { codecNamed } from '../average/codecs.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import { MAX_GOSSIP_FRAME_BYTES } from './limits.ts'

/** Names that a manifest may carry. `pairwise`, which carries larger models over direct requests, belongs here when it comes. */
export const STRATEGIES: readonly string[] = ['broadcast', 'none']

/** What `auto` means for a model of this size: gossip where one encoded snapshot fits into a message, else no averaging, with the reason. */
export function resolveStrategy(
  chosen: string,
  codec: string,
  parameterCount: number,
): { readonly strategy: string; readonly warning: string | null } {
  const bytes = encodedFrameBytes(codecNamed(codec).bytesFor(parameterCount))
  const fits = bytes <= MAX_GOSSIP_FRAME_BYTES
  if (fits || chosen === 'none') return { strategy: chosen === 'auto' ? 'broadcast' : chosen, warning: null }
  return {
    strategy: 'none',
    warning: `One snapshot of this model is ${bytes} bytes, over the ${MAX_GOSSIP_FRAME_BYTES} that gossip carries: peers of this run will not average. Use a smaller network${codec === 'f32' ? ' or --codec f16' : ''}.`,
  }
}
