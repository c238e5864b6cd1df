/**
 * The schema of what a person may set, by flag or in a file, under the flags' names. Values may come as text (flags) or as YAML gives them.
 * Each message completes a sentence that begins with the name of the flag or field.
 */
import { z } from 'zod'
import { ROBUST_RULES } from '../average/combine.ts'
import { PARTNER_RULES } from '../average/partners.ts'
import { isBridged, isGymnasiumId } from '../envs/bridge/script.ts'
import { listEnvironments } from '../envs/registry.ts'
import { ALGORITHMS } from '../learn/hyperparameters.ts'
import { MAX_ACTORS, MAX_ENGINE_THREADS } from '../learn/limits.ts'
import { peerIdBytes } from '../wire/peer-id.ts'
import { MAX_PERIOD_UPDATES, MAX_WAIT_FOR_PEERS } from './limits.ts'
import {
  addresses,
  ofOneHost,
  readAssignments,
  readCodec,
  readFileName,
  readHttp,
  readMemory,
  readMetrics,
  readName,
  readShare,
  readUntil,
  yesOrNo,
} from './settings/readers.ts'
import { asNumber, field, oneOf, shown, unknown, wholeNumber } from './settings/values.ts'
import { strategyNames } from './strategy-names.ts'

/** Nesterov momentum on what happens between mixes, or nothing. */
const OUTER_STEPS = ['none', 'nesterov'] as const

/** What a mix does to the optimiser's moments. */
const MOMENTS = ['local', 'averaged', 'reset'] as const

const ENGINES = ['wasm', 'tfjs'] as const

/** Below 0 needs a right that few have. */
const MAX_NICENESS = 19

/** Seeds are 32-bit words. */
const MAX_SEED = 4_294_967_295

/** What deciding a run takes; only `start` takes it. */
const foundingShape = {
  env: field((value) => {
    // What Gymnasium knows is asked in Python, when the environment is made.
    if (typeof value === 'string' && isBridged(value)) {
      if (isGymnasiumId(value)) return { value }
      return { fault: `must be written as gym:CartPole-v1 or gym:ALE/Pong-v5, not ${shown(value)}`, code: 'unknown_environment' }
    }
    const ids = listEnvironments().map((spec) => spec.id)
    if (typeof value === 'string' && ids.includes(value)) return { value }
    return { fault: unknown('environment', value, ids), code: 'unknown_environment' }
  }),
  algo: field((value) => {
    const algorithm = ALGORITHMS.find((id) => id === value)
    return algorithm === undefined ? { fault: unknown('algorithm', value, ALGORITHMS), code: 'unknown_algorithm' } : { value: algorithm }
  }),
  // Which there are depends on the algorithm and the environment.
  preset: field((value) => (typeof value === 'string' ? { value } : { fault: `must be a name, not ${shown(value)}` })),
  seed: field((value) => wholeNumber(value, 0, MAX_SEED)),
  strategy: field((value) => oneOf('strategy', value, ['auto', ...strategyNames()])),
  partner: field((value) => oneOf('partner rule', value, PARTNER_RULES)),
  server: field((value) =>
    typeof value === 'string' && peerIdBytes(value) !== null
      ? { value }
      : { fault: `must be the id of a peer (12D3KooW...), not ${shown(value)}` },
  ),
  codec: field(readCodec),
  period: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 1, MAX_PERIOD_UPDATES, ', or auto'))),
  outer: field((value) => oneOf('outer step', value, OUTER_STEPS)),
  moments: field((value) => oneOf('policy of moments', value, MOMENTS)),
  robust: field((value) => oneOf('robust rule', value, ROBUST_RULES)),
  'share-experience': field(readShare),
  'init-from': field((value) => readFileName(value)),
  name: field(readName),
}

const localShape = {
  set: field(readAssignments),
  'data-dir': field((value) =>
    typeof value === 'string' && value !== '' ? { value } : { fault: `must be a folder, not ${shown(value)}` },
  ),
  listen: field((value) => addresses(value, 'listen')),
  announce: field((value) => ofOneHost(addresses(value, 'dial'))),
  lan: field(yesOrNo),
  'no-mdns': field(yesOrNo),
  metrics: field(readMetrics),
  nice: field((value) => wholeNumber(value, 0, MAX_NICENESS)),
  http: field(readHttp),
  'no-http': field(yesOrNo),
  engine: field((value) => oneOf('engine', value, ENGINES)),
  // Read and judged elsewhere: it is code.
  network: field((value) =>
    typeof value === 'string' && value !== '' ? { value } : { fault: `must be the file of a module, not ${shown(value)}` },
  ),
  actors: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 0, MAX_ACTORS, ', or auto'))),
  threads: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 1, MAX_ENGINE_THREADS, ', or auto'))),
  deterministic: field(yesOrNo),
  'allow-python': field(yesOrNo),
  'swarm-key': field((value) => readFileName(value)),
  allow: field((value) => readFileName(value)),
  'strict-quotas': field(yesOrNo),
  relay: field(yesOrNo),
  upnp: field(yesOrNo),
  resume: field<string | boolean>((value) =>
    typeof value === 'boolean' || (typeof value === 'string' && value !== '')
      ? { value }
      : { fault: `must be a data folder, not ${shown(value)}` },
  ),
  observe: field(yesOrNo),
  'checkpoint-replay': field(yesOrNo),
  'max-memory': field(readMemory),
  until: field(readUntil),
  threshold: field((value) => {
    const number = asNumber(value)
    return Number.isFinite(number) ? { value: number } : { fault: `must be a number, not ${shown(value)}` }
  }),
  'eval-every': field((value) => wholeNumber(value, 1, Number.MAX_SAFE_INTEGER)),
  'wait-for-peers': field((value) => wholeNumber(value, 0, MAX_WAIT_FOR_PEERS)),
}

export const settingsSchema = z.strictObject({ ...foundingShape, ...localShape })

export const FOUNDING_NAMES: readonly string[] = Object.keys(foundingShape)
export const SETTING_NAMES: readonly string[] = Object.keys(settingsSchema.shape)

export type GivenSettings = z.output<typeof settingsSchema>

/** Actor threads: `auto` is every core but the learner's, or none where the same curve is wanted twice, which threads cannot give. */
export function actorCount({ actors, deterministic }: GivenSettings, cores: number): number | 'not deterministic' {
  if (actors === 'auto') return deterministic === true ? 0 : Math.max(0, cores - 1)
  return deterministic === true && actors !== undefined && actors > 0 ? 'not deterministic' : (actors ?? 0)
}

/** Threads of the engine: `auto` is one more where a core is left for it, but not where the same curve is wanted on machines of any size. */
export function engineThreads({ threads, deterministic }: GivenSettings, actors: number, cores: number): number {
  if (threads !== 'auto') return threads ?? 1
  return deterministic === true ? 1 : Math.min(MAX_ENGINE_THREADS, Math.max(1, cores - actors))
}
