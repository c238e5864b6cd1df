/** Averaging strategies of this build, and how `auto` chooses among them. */
import { codecNamed, payloadBytes } from '../average/codecs.ts'
import type { MomentKind } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { encodedFrameBytes } from '../wire/frame.ts'
import { peerIdBytes } from '../wire/peer-id.ts'
import { AUTO_GOSSIP_FRAME_BYTES, MAX_GOSSIP_FRAME_BYTES } from './limits.ts'
import { broadcast } from './strategies/broadcast.ts'
import { none } from './strategies/none.ts'
import { pairwise } from './strategies/pairwise.ts'
import { pushSum } from './strategies/push-sum.ts'
import { server } from './strategies/server.ts'
import type { Strategy } from './strategies/strategy.ts'
import { addStrategyName, strategyNames } from './strategy-names.ts'

const strategies = new Map<string, Strategy>([broadcast, pairwise, pushSum, server, none].map((strategy) => [strategy.name, strategy]))

/** Throws `unknown_strategy` (fault local): settings are checked when a run is founded or joined. */
export function strategyNamed(name: string): Strategy {
  const strategy = strategies.get(name)
  if (strategy !== undefined) return strategy
  const known = strategyNames().join(', ')
  throw new GrapevineError('unknown_strategy', 'local', `Strategy "${name}" is not known here; choose one of ${known}.`, { name })
}

/**
 * Makes a strategy of one's own known in this process under `name`, for `strategy` of settings and manifests: everybody who takes part in such
 * a run registers it, or cannot join. Throws `usage` (fault local) for a name that is taken, or that is no word in lower case, and for what is no
 * strategy.
 */
export function registerStrategy(name: string, strategy: Omit<Strategy, 'name'>): void {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,31}$/.test(name)) {
    throw usage(`"${name}" is no name for a strategy; choose a word in lower case.`)
  }
  if (strategies.has(name) || name === 'auto') throw usage(`There is a strategy "${name}" already; choose another name.`)
  if (typeof strategy?.start !== 'function') throw usage(`The strategy "${name}" needs a function start that begins its rounds.`)
  if (strategy.rules !== 'a peer' && !(Array.isArray(strategy.rules) && strategy.rules.length > 0)) {
    throw usage(`The strategy "${name}" needs rules: the partner rules that it goes by, such as ['all'], or 'a peer'.`)
  }
  strategies.set(name, { ...strategy, name })
  addStrategyName(name)
}

/** What is wrong with `partner` as the partner of `strategy`, as a list of what there is; null: nothing. */
export function partnerFault(strategy: Strategy, partner: string): string | null {
  if (strategy.rules === 'a peer') return peerIdBytes(partner) === null ? 'the id of a peer' : null
  return strategy.rules.includes(partner) ? null : strategy.rules.join(', ')
}

/** The strategy and partner rule of a new run of a model of this size, `auto` and what was left open decided. Throws `usage` (fault local). */
export function resolveAveraging(
  chosen: {
    readonly strategy: string
    readonly partner: string | null
    readonly server: string | null
    readonly codec: string
    readonly robust: string
  },
  model: { readonly parameterCount: number; readonly slices: readonly number[]; readonly moments: readonly MomentKind[] },
  self: PeerId,
): { readonly strategy: string; readonly partner: string } {
  const codec = codecNamed(chosen.codec, { run: '', slices: model.slices, moments: model.moments })
  const bytes = encodedFrameBytes(payloadBytes(codec, model.parameterCount))
  const name = chosen.strategy !== 'auto' ? chosen.strategy : bytes <= AUTO_GOSSIP_FRAME_BYTES ? 'broadcast' : 'pairwise'
  const strategy = strategyNamed(name)
  if (name === 'push-sum' && codec.shareOf(model.parameterCount) < 1) {
    throw usage(`--strategy push-sum sends whole replicas, and --codec ${chosen.codec} sends a part; choose f32, f16 or int8.`)
  }
  if (['pairwise', 'push-sum', 'server'].includes(name) && (chosen.robust === 'median' || chosen.robust === 'trimmed')) {
    throw usage(
      `--robust ${chosen.robust} compares several neighbours at a time and ${name} has one; choose clip, or --strategy broadcast.`,
    )
  }
  if (model.moments.length > 0 && (chosen.robust === 'median' || chosen.robust === 'trimmed')) {
    throw usage(
      `--moments averaged gives moments the weight of their parameters, which --robust ${chosen.robust} has not; choose clip or none.`,
    )
  }
  if (name === 'broadcast' && bytes > MAX_GOSSIP_FRAME_BYTES) {
    throw usage(
      `--strategy broadcast carries snapshots of at most ${MAX_GOSSIP_FRAME_BYTES} bytes and one of this model has ${bytes}; choose pairwise${chosen.codec === 'f32' ? ', or --codec f16' : ''}.`,
    )
  }
  if (strategy.rules !== 'a peer' && chosen.server !== null) throw usage('--server goes with --strategy server only; leave it out.')
  const partner = strategy.rules === 'a peer' ? (chosen.server ?? self) : (chosen.partner ?? strategy.rules[0]!)
  if (strategy.rules === 'a peer' && chosen.partner !== null)
    throw usage('--strategy server has one partner for all; name it with --server.')
  const fault = partner === self ? null : partnerFault(strategy, partner)
  if (fault === null) return { strategy: name, partner }
  throw usage(`--partner ${partner} does not go with --strategy ${name}; choose one of ${fault}.`)
}

function usage(message: string): GrapevineError {
  return new GrapevineError('usage', 'local', message)
}
