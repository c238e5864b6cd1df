/**
 * The checkpoints of a data folder, in `checkpoints/`: of each run the last KEPT_CHECKPOINTS, numbered across all runs, and the best one.
 * A file is replaced whole or not at all (Storage.write), so a crash leaves the one before. What is damaged all the same is passed over for the
 * one before, and named; a run of which nothing is left whole is an error, never a fresh start.
 */
import type { Storage } from '../ports/storage.ts'
import { GrapevineError } from '../util/errors.ts'
import { type Checkpoint, type CheckpointFacts, decodeCheckpoint } from './checkpoint-file.ts'
import { KEPT_CHECKPOINTS, MAX_CHECKPOINT_BYTES, SCORED_EPISODES } from './limits.ts'
import { digitsOf, listNumbered, type Numbered, nextName } from './numbered-files.ts'

const FOLDER = 'checkpoints'
const ENDING = 'safetensors'

export interface LoadedCheckpoint extends Checkpoint {
  readonly name: string
  /** Newer files that cannot be used, newest first. */
  readonly damaged: readonly { readonly name: string; readonly problem: string }[]
}

/** Newest first. */
export function listCheckpoints(storage: Storage): Promise<readonly Numbered[]> {
  return listNumbered(storage, FOLDER, ENDING)
}

/**
 * The newest whole checkpoint of the run that was saved last. Throws `no_checkpoint`, or `bad_checkpoint` when none of that run is whole; both
 * name `folder`, the path of the data folder.
 */
export async function loadCheckpoint(storage: Storage, folder: string): Promise<LoadedCheckpoint> {
  const all = await listCheckpoints(storage)
  const [newest] = all
  if (newest === undefined) {
    const message = `There is no checkpoint in ${folder}; name the data folder of a run that has trained.`
    throw new GrapevineError('no_checkpoint', 'local', message, { folder })
  }
  const damaged: { name: string; problem: string }[] = []
  for (const { name, run } of all) {
    if (run !== newest.run) continue
    const { checkpoint, problem } = await readCheckpoint(storage, name, run)
    if (checkpoint !== null) return { ...checkpoint, name, damaged }
    damaged.push({ name, problem })
  }
  const list = damaged.map(({ name, problem }) => `${name} (${problem})`).join(', ')
  throw new GrapevineError(
    'bad_checkpoint',
    'local',
    `No checkpoint of the run in ${folder} is whole: ${list}. Restore one from a copy, or found a new run.`,
    { damaged },
  )
}

/** The best checkpoint of the run that was saved last; null where none was scored. Throws `bad_checkpoint` when it is damaged. */
export async function loadBest(storage: Storage): Promise<(Checkpoint & { readonly name: string }) | null> {
  const [newest] = await listCheckpoints(storage)
  if (newest === undefined) return null
  const name = bestName(newest.run)
  const { checkpoint, problem, missing } = await readCheckpoint(storage, name, newest.run)
  if (checkpoint !== null) return { ...checkpoint, name }
  if (missing) return null
  throw new GrapevineError(
    'bad_checkpoint',
    'local',
    `The best checkpoint, ${name}, cannot be used: ${problem}. --of self takes the newest.`,
    { name },
  )
}

export class CheckpointWriter {
  readonly #storage: Storage
  readonly #run: string
  /** Of the best checkpoint; null before it was looked at. */
  #best: Score | null = null

  /** `run`: id in hex. */
  constructor(storage: Storage, run: string) {
    this.#storage = storage
    this.#run = digitsOf(run)
  }

  /** Stores a sealed checkpoint and removes what is over the limit. Returns its name. Fails with `storage` or `checkpoint_size`; older ones stay then. */
  async write(bytes: Uint8Array, facts: CheckpointFacts): Promise<string> {
    if (bytes.length > MAX_CHECKPOINT_BYTES) {
      throw new GrapevineError(
        'checkpoint_size',
        'local',
        `A checkpoint of ${bytes.length} bytes is over the limit of ${MAX_CHECKPOINT_BYTES}; leave out --checkpoint-replay.`,
      )
    }
    const before = await listCheckpoints(this.#storage)
    const name = nextName(before, FOLDER, this.#run, ENDING)
    await this.#storage.write(name, bytes)
    const own = before.filter(({ run }) => run === this.#run)
    for (const { name: old } of own.slice(KEPT_CHECKPOINTS - 1)) await this.#storage.remove(old)
    await this.keepBest(bytes, facts)
    return name
  }

  /** Keeps a sealed checkpoint, which need not hold more than the replica, as the best where it is better than the best so far. */
  async keepBest(bytes: Uint8Array, facts: CheckpointFacts): Promise<void> {
    const score = scoreOf(facts)
    if (score === null) return
    this.#best ??= await this.#storedScore()
    if (!isBetter(score, this.#best)) return
    await this.#storage.write(bestName(this.#run), bytes)
    this.#best = score
  }

  async #storedScore(): Promise<Score> {
    const { checkpoint } = await readCheckpoint(this.#storage, bestName(this.#run), this.#run)
    return (checkpoint === null ? null : scoreOf(checkpoint.facts)) ?? { evaluated: false, mean: Number.NEGATIVE_INFINITY }
  }
}

/** An evaluation says more than the returns of training, which come from older parameters and from exploring. */
interface Score {
  readonly evaluated: boolean
  readonly mean: number
}

function scoreOf({ evaluation, returnMean, episodes }: CheckpointFacts): Score | null {
  if (evaluation !== null) return { evaluated: true, mean: evaluation.mean }
  return returnMean === null || episodes < SCORED_EPISODES ? null : { evaluated: false, mean: returnMean }
}

function isBetter(score: Score, than: Score): boolean {
  return score.evaluated === than.evaluated ? score.mean > than.mean : score.evaluated
}

/** Where the best checkpoint of a run (first digits of its id) lies, if there is one. */
export function bestName(run: string): string {
  return `${FOLDER}/best-${run}.${ENDING}`
}

/** What became of reading one checkpoint; `size` in bytes, 0 where nothing could be read. */
export type ReadCheckpoint =
  | { readonly checkpoint: Checkpoint; readonly problem: null; readonly missing: false; readonly size: number }
  | { readonly checkpoint: null; readonly problem: string; readonly missing: boolean; readonly size: number }

/** `run`: first digits of the id of the run that it should be of. */
export async function readCheckpoint(storage: Storage, name: string, run: string): Promise<ReadCheckpoint> {
  let size = 0
  try {
    const bytes = await storage.read(name)
    if (bytes === null) return { checkpoint: null, problem: 'it is gone', missing: true, size }
    size = bytes.length
    const checkpoint = decodeCheckpoint(bytes)
    if (checkpoint.facts.run.startsWith(run)) return { checkpoint, problem: null, missing: false, size }
    return { checkpoint: null, problem: 'it is of another run than its name says', missing: false, size }
  } catch (error) {
    if (!(error instanceof GrapevineError)) throw error
    return { checkpoint: null, problem: String(error.data.problem ?? error.data.reason ?? error.message), missing: false, size }
  }
}
