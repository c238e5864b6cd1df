/** Exit codes, a contract with scripts: 0 done, 1 failure, 2 bad usage, 3 cannot join, 75 stopped by a watchdog. */
import { GrapevineError } from '../util/errors.ts'

export const DONE = 0
export const FAILURE = 1
export const BAD_USAGE = 2
const CANNOT_JOIN = 3
const STOPPED_BY_WATCHDOG = 75

/** What was asked for cannot be: known before anything is trained, and mended by asking for something else. */
const USAGE_CODES = [
  'usage',
  'malformed',
  'config',
  'unknown_environment',
  'environment_module',
  'network_module',
  'network_layer',
  'environment_id',
  'observation',
  'unknown_algorithm',
  'unknown_preset',
  'hyperparameter',
  'replay_memory',
  'actors',
  'action_space',
  'bad_network',
  'init_from',
  'option',
  'swarm_key_file',
  'allow_file',
  'scenario',
]

/** Whatever another peer or the network did to a joiner means that it cannot join; these are its own doing. */
const JOIN_CODES = ['cannot_join', 'self', 'wrong_peer', 'bad_invitation']

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof GrapevineError)) return FAILURE
  if (error.code === 'out_of_memory') return STOPPED_BY_WATCHDOG
  if (USAGE_CODES.includes(error.code)) return BAD_USAGE
  return error.fault !== 'local' || JOIN_CODES.includes(error.code) ? CANNOT_JOIN : FAILURE
}
