/** What the commands for saved policies share: their path, and which replica of a data folder is meant. */
import { type Command, Option } from 'commander'
import { REPLICAS, type SavedPolicy, type WhichReplica } from '../node/saved-policy.ts'
import { GrapevineError } from '../util/errors.ts'

export function addSavedArguments(command: Command): Command {
  return command
    .argument('<path>', 'a data folder, a checkpoint, or what export wrote')
    .option('--network <module>', 'the module of its network, where that is one of your own')
    .addOption(new Option('--of <replica>', 'of a data folder: best, self or mean (best)').default('best'))
}

/** Throws `usage` where `of` is none of the replicas. */
export async function savedPolicy(path: string, of: string): Promise<SavedPolicy> {
  const which = REPLICAS.find((name) => name === of)
  if (which === undefined) throw new GrapevineError('usage', 'local', `--of must be ${REPLICAS.join(', ')}, not "${of}".`)
  const { loadSavedPolicy } = await import('../node/saved-policy.ts')
  return loadSavedPolicy(path, which satisfies WhichReplica)
}

/** A whole number from a flag; throws `usage`. */
export function wholeFlag(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new GrapevineError('usage', 'local', `${flag} must be a whole number from ${min} to ${max}, not "${text}".`)
}
