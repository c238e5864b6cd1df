/**
 * The trained policy behind a path: a data folder (of a running peer, too), one checkpoint, or an exported policy. Fails with `no_checkpoint`,
 * `bad_checkpoint`, `bad_policy`, `path`, or an error of the registry where the environment is not known here.
 */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { RunningMoments } from '../envs/wrappers/moments.ts'
import { layout } from '../learn/layout.ts'
import { policyFacts } from '../learn/policy-facts.ts'
import type { LearnerState, Normaliser } from '../ports/learner.ts'
import type { PolicyFile } from '../ports/policy.ts'
import type { Storage } from '../ports/storage.ts'
import { type Checkpoint, decodeCheckpoint } from '../store/checkpoint-file.ts'
import { type LoadedCheckpoint, listCheckpoints, loadBest, loadCheckpoint } from '../store/checkpoints.ts'
import { decodePolicy, isPolicy, requireDigest } from '../store/policy-file.ts'
import { GrapevineError } from '../util/errors.ts'
import { sha256Hex } from '../util/sha256.ts'
import { decodeManifest } from '../wire/manifest.ts'
import { decodeSafetensors } from '../wire/safetensors.ts'
import { sealIn } from '../wire/seal.ts'
import { folderStorage } from './storage.ts'

/** Which replica of a data folder is meant: the best one, the newest, or the mean of those kept. */
export const REPLICAS = ['best', 'self', 'mean'] as const
export type WhichReplica = (typeof REPLICAS)[number]

export interface SavedPolicy extends PolicyFile {
  /** What it was read from, for a person. */
  readonly from: string
  /** Peer id in the words of the checkpoint; null of an export. */
  readonly checkpoint: Checkpoint['facts'] | null
  /** Newer checkpoints of a data folder that cannot be used, newest first. */
  readonly damaged: LoadedCheckpoint['damaged']
}

export async function loadSavedPolicy(path: string, of: WhichReplica): Promise<SavedPolicy> {
  const found = await stat(path).catch(() => null)
  if (found === null)
    throw new GrapevineError('path', 'local', `There is nothing at ${resolve(path)}; name a data folder, a checkpoint or an export.`)
  if (found.isDirectory()) return fromFolder(folderStorage(resolve(path)), path, of)
  const bytes = new Uint8Array(await readFile(path))
  if (isExport(bytes)) {
    requireWhole(bytes)
    return { ...decodePolicy(bytes, (network) => layout(network).slices), from: path, checkpoint: null, damaged: [] }
  }
  return fromCheckpoint(checkpointAt(path, bytes), path)
}

/** Throws `bad_policy` where an export is damaged. */
export function requireWhole(bytes: Uint8Array): void {
  const seal = sealIn(bytes)
  if (seal !== null) requireDigest(seal.sha256, sha256Hex(seal.of))
}

/** Throws `bad_checkpoint`, which names the path. */
export function checkpointAt(path: string, bytes: Uint8Array): Checkpoint {
  try {
    return decodeCheckpoint(bytes)
  } catch (error) {
    const problem = error instanceof GrapevineError ? (error.data.problem ?? error.message) : String(error)
    const message = `${resolve(path)} is no checkpoint or export that can be used (${problem}); name a data folder, a checkpoint or an export.`
    throw new GrapevineError('bad_checkpoint', 'local', message, { path })
  }
}

async function fromFolder(storage: Storage, path: string, of: WhichReplica): Promise<SavedPolicy> {
  const newest = await loadCheckpoint(storage, path)
  const { damaged } = newest
  if (of === 'self') return fromCheckpoint(newest, newest.name, damaged)
  if (of === 'mean') return fromCheckpoint(await meanOf(storage, newest), 'the mean of the checkpoints kept', damaged)
  const best = await loadBest(storage)
  return best === null ? fromCheckpoint(newest, `${newest.name} (none was scored)`, damaged) : fromCheckpoint(best, best.name)
}

/** The newest checkpoint with the mean of the parameters of all that are kept and whole. */
async function meanOf(storage: Storage, newest: Checkpoint): Promise<Checkpoint> {
  const parameters: Float32Array[] = []
  for (const { name, run } of await listCheckpoints(storage)) {
    if (!newest.facts.run.startsWith(run)) continue
    const bytes = await storage.read(name)
    const state = bytes === null ? null : wholeState(bytes)
    if (state?.parameters instanceof Float32Array) parameters.push(state.parameters)
  }
  const mean = parameters[0]!.map((_, i) => parameters.reduce((sum, vector) => sum + vector[i]!, 0) / parameters.length)
  return { ...newest, facts: { ...newest.facts, returnMean: null, evaluation: null }, state: { ...newest.state, parameters: mean } }
}

function wholeState(bytes: Uint8Array): LearnerState | null {
  try {
    return decodeCheckpoint(bytes).state
  } catch {
    return null
  }
}

function fromCheckpoint({ facts, manifestBytes, state }: Checkpoint, from: string, damaged: SavedPolicy['damaged'] = []): SavedPolicy {
  const { environment, wrappers, algorithm, network } = decodeManifest(manifestBytes)
  const { run, version, steps, evaluation, returnMean } = facts
  return {
    facts: policyFacts({
      environment,
      wrappers,
      algorithm: algorithm.id,
      network,
      normalisers: normalisersOf(state),
      run,
      version,
      steps,
      returnMean: evaluation?.mean ?? returnMean,
    }),
    parameters: state.parameters as Float32Array,
    from,
    checkpoint: facts,
    damaged,
  }
}

/** What the replica knew in all, its own part and others'. */
function normalisersOf(state: LearnerState): Normaliser[] {
  const normalisers: Normaliser[] = []
  for (let i = 0; state[`normaliser/${i}/0`] !== undefined; i++) {
    const moments = new RunningMoments(state[`normaliser/${i}/1`]!.length)
    for (const [part, array] of moments.memory.entries()) array.set(state[`normaliser/${i}/${part}`]!)
    normalisers.push(moments.all())
  }
  return normalisers
}

/** Whether these are the bytes of an exported policy. */
export function isExport(bytes: Uint8Array): boolean {
  try {
    return isPolicy(decodeSafetensors(bytes))
  } catch {
    // What is wrong is told by whoever reads it.
    return false
  }
}
