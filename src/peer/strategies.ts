/** Averaging strategies of this build, and how `auto` chooses among them. */
import { codecNamed } from '../average/codecs.ts'
import { GrapevineError } from '../util/errors.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import { AUTO_GOSSIP_FRAME_BYTES, MAX_GOSSIP_FRAME_BYTES } from './limits.ts'
import { broadcast } from './strategies/broadcast.ts'
import { none } from './strategies/none.ts'
import { pairwise } from './strategies/pairwise.ts'
import type { Strategy } from './strategies/strategy.ts'
import { strategyNames } from './strategy-names.ts'

const strategies = new Map<string, Strategy>([broadcast, pairwise, none].map((strategy) => [strategy.name, strategy]))

/** Throws `unknown_strategy` (fault local): settings are checked when a run is founded or joined. */
export function strategyNamed(name: string): Strategy {
  const strategy = strategies.get(name)
  if (strategy !== undefined) return strategy
  const known = strategyNames().join(', ')
  throw new GrapevineError('unknown_strategy', 'local', `Strategy "${name}" is not known here; choose one of ${known}.`, { name })
}

/** The strategy and partner rule of a new run of a model of this size, `auto` and what was left open decided. Throws `usage` (fault local). */
export function resolveAveraging(
  chosen: { readonly strategy: string; readonly partner: string | null; readonly codec: string },
  model: { readonly parameterCount: number; readonly slices: readonly number[] },
): { readonly strategy: string; readonly partner: string } {
  const codec = codecNamed(chosen.codec, { run: '', slices: model.slices })
  const bytes = encodedFrameBytes(codec.bytesFor(model.parameterCount))
  const name = chosen.strategy !== 'auto' ? chosen.strategy : bytes <= AUTO_GOSSIP_FRAME_BYTES ? 'broadcast' : 'pairwise'
  const strategy = strategyNamed(name)
  if (name === 'broadcast' && bytes > MAX_GOSSIP_FRAME_BYTES) {
    throw usage(
      `--strategy broadcast carries snapshots of at most ${MAX_GOSSIP_FRAME_BYTES} bytes and one of this model has ${bytes}; choose pairwise${chosen.codec === 'f32' ? ', or --codec f16' : ''}.`,
    )
  }
  const partner = chosen.partner ?? strategy.rules[0]!
  if (strategy.rules.includes(partner)) return { strategy: name, partner }
  throw usage(`--partner ${partner} does not go with --strategy ${name}; choose one of ${strategy.rules.join(', ')}.`)
}

function usage(message: string): GrapevineError {
  return new GrapevineError('usage', 'local', message)
}
