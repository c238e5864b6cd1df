/** Averaging strategies of this build, and how `auto` chooses among them. */
import { codecNamed } from '../average/codecs.ts'
import { GrapevineError } from '../util/errors.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import { MAX_GOSSIP_FRAME_BYTES } from './limits.ts'
import { broadcast } from './strategies/broadcast.ts'
import { none } from './strategies/none.ts'
import type { Strategy } from './strategies/strategy.ts'
import { strategyNames } from './strategy-names.ts'

const strategies = new Map<string, Strategy>([broadcast, none].map((strategy) => [strategy.name, strategy]))

/** Throws `unknown_strategy` (fault local): settings are checked when a run is founded or joined. */
export function strategyNamed(name: string): Strategy {
  const strategy = strategies.get(name)
  if (strategy !== undefined) return strategy
  const known = strategyNames().join(', ')
  throw new GrapevineError('unknown_strategy', 'local', `Strategy "${name}" is not known here; choose one of ${known}.`, { name })
}

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
