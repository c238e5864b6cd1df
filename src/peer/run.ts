/**
 * A run as one peer holds it: the manifest that all agree on, and the learner built from it.
 */
import { fromString as decodeText } from 'uint8arrays/from-string'
import { findEnvironment } from '../envs/registry.ts'
import type { EnvironmentSpec } from '../envs/types.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, LearnerSettings, Snapshot } from '../ports/learner.ts'
import type { Log } from '../ports/log.ts'
import type { Network, PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { Storage } from '../ports/storage.ts'
import type { Workers } from '../ports/workers.ts'
import { seededRandom } from '../util/random.ts'
import { RUN_PREFIX_BYTES } from '../wire/frame.ts'
import { type Manifest, runId } from '../wire/manifest.ts'
import type { PeerSettings } from './settings.ts'

/** Everything of the world that a peer touches. */
export interface PeerPorts {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly storage: Storage
  readonly workers: Workers
}

export interface Run {
  /** Run id: SHA-256 of the manifest's bytes, hex. */
  readonly id: string
  /** First bytes of the run id, as frames carry them. */
  readonly prefix: Uint8Array
  readonly manifest: Manifest
  readonly manifestBytes: Uint8Array
  readonly environment: EnvironmentSpec
  readonly learner: Learner
  readonly parameterCount: number
  /** Values of each normaliser of the run's wrappers, innermost first. */
  readonly normaliserSizes: readonly number[]
  /** The initial parameters, canonical: the origin of every sketch. */
  readonly initial: Float32Array
}

/** `first`: the learner's snapshot before any update. */
export function runOf(manifestBytes: Uint8Array, manifest: Manifest, environment: EnvironmentSpec, learner: Learner, first: Snapshot): Run {
  const id = runId(manifestBytes)
  return {
    id,
    prefix: decodeText(id, 'base16').subarray(0, RUN_PREFIX_BYTES),
    manifest,
    manifestBytes,
    environment,
    learner,
    parameterCount: first.parameters.length,
    normaliserSizes: first.ownNormalisers.map(({ mean }) => mean.length),
    initial: first.parameters.slice(),
  }
}

/** What this peer's learner is built from: the manifest's choices and the local settings. */
export function learnerSettings(manifest: Omit<Manifest, 'initialDigest'>, settings: PeerSettings, self: PeerId): LearnerSettings {
  return {
    modules: settings.modules,
    environment: { id: manifest.environment.id, options: manifest.environment.options },
    wrappers: manifest.wrappers,
    algorithm: manifest.algorithm,
    network: manifest.network,
    networkModule: settings.networkModule,
    weightsSeed: manifest.seed,
    actorSeed: actorSeed(manifest.seed, settings.deterministic ? 'deterministic' : self),
    engine: settings.engine,
    deterministic: settings.deterministic,
    threads: settings.threads,
    actors: settings.actors,
    maxStepsPerSecond: settings.maxStepsPerSecond,
    threshold: settings.threshold ?? findEnvironment(manifest.environment.id).threshold,
    ...(manifest.averaging.moments === undefined ? {} : { moments: manifest.averaging.moments }),
    ...(manifest.experience === undefined ? {} : { experienceShare: manifest.experience.share }),
    untilSteps: settings.until.kind === 'steps' ? settings.until.steps : null,
  }
}

/** Every peer explores on its own: the seed of its environments and its sampling comes from the run's seed and who it is. */
function actorSeed(seed: number, who: string): number {
  return seededRandom(seed, 'actor', who).uint32()
}
