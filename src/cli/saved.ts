/** What the commands for saved policies share: their path, and which replica of a data folder is meant. */
import { type Command, Option } from 'commander'
import { REPLICAS, type SavedPolicy, type WhichReplica } from '../node/saved-policy.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Output } from './io.ts'

export function addSavedArguments(command: Command): Command {
  return command
    .argument('<path>', 'a data folder, a checkpoint, or what export wrote')
    .option('--env <module>', 'the module of its environment, where that is one of your own')
    .option('--network <module>', 'the module of its network, where that is one of your own')
    .addOption(new Option('--of <replica>', 'of a data folder: best, self or mean (best)').default('best'))
}

/** The flags that say which policy is meant. */
export interface SavedFlags {
  readonly of: string
  readonly env?: string
}

/** Tells on `err` which newer checkpoints were passed over. Throws `usage` where `of` is none of the replicas, and what loading throws. */
export async function savedPolicy(path: string, { of, env }: SavedFlags, err: Pick<Output, 'write'>): Promise<SavedPolicy> {
  const which = REPLICAS.find((name) => name === of)
  if (which === undefined) throw new GrapevineError('usage', 'local', `--of must be ${REPLICAS.join(', ')}, not "${of}".`)
  if (env !== undefined) await (await import('../node/own-module.ts')).loadOwnModule(env)
  const { loadSavedPolicy } = await import('../node/saved-policy.ts')
  const policy = await hinted(() => loadSavedPolicy(path, which satisfies WhichReplica))
  for (const { name, problem } of policy.damaged) {
    err.write(`grapevine: The checkpoint ${name} cannot be used (${problem}); an older one is taken.\n`)
  }
  return policy
}

/** Does `work`, and says of an environment that is not known here how it gets known. */
export async function hinted<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GrapevineError && error.code === 'unknown_environment')) throw error
    throw new GrapevineError(error.code, error.fault, `${error.message} (one of your own needs --env MODULE).`, error.data)
  }
}

/** A whole number from a flag; throws `usage`. */
export function wholeFlag(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new GrapevineError('usage', 'local', `${flag} must be a whole number from ${min} to ${max}, not "${text}".`)
}
