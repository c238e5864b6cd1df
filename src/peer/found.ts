/**
 * Founding a run: from the founder's choices and the preset of the algorithm and environment to a manifest that names everything the
 * swarm must agree on, and the learner built from it.
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import { isPlainAveraging } from '../average/outer.ts'
import { findEnvironment } from '../envs/registry.ts'
import { momentsOf, requireAlgorithm, resolveHyperparameters } from '../learn/hyperparameters.ts'
import { layout } from '../learn/layout.ts'
import { preset, presetNetwork } from '../learn/presets.ts'
import type { Learner, NetworkSpec } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import { experienceBytes } from '../wire/experience.ts'
import { MAX_EXPERIENCE_BYTES } from '../wire/limits.ts'
import { decodeManifest, encodeManifest, type Manifest } from '../wire/manifest.ts'
import { PROTOCOL_VERSION } from '../wire/protocol.ts'
import { learnerSettings, type PeerPorts, type Run, runOf } from './run.ts'
import type { Founding } from './settings/founding.ts'
import type { PeerSettings } from './settings.ts'
import { resolveAveraging } from './strategies.ts'

/** What the founder decides; the digest of the initial weights follows from it. */
export type RunPlan = Omit<Manifest, 'initialDigest'>

/** Everything of the manifest but the digest. `self`: the founder, who is the server where nobody else is named. */
export function planRun(founding: Founding, random: Random, self: PeerId): RunPlan {
  const environment = findEnvironment(founding.environment)
  const algorithm = requireAlgorithm(founding.algorithm)
  const chosen = preset(algorithm, environment.id, founding.preset)
  const wrappers = founding.wrappers ?? chosen.wrappers ?? []
  const network = founding.network ?? presetNetworkOf(founding)
  const { parameterCount, slices } = layout(network)
  const hyperparameters = resolveHyperparameters(algorithm, { ...chosen.hyperparameters, ...founding.hyperparameters })
  const moments = founding.moments === 'averaged' ? momentsOf(algorithm, hyperparameters) : []
  const { strategy, partner } = resolveAveraging(founding, { parameterCount, slices: slices.map(({ length }) => length), moments }, self)
  return {
    protocol: PROTOCOL_VERSION,
    name: founding.name,
    environment: { id: environment.id, version: environment.version, options: founding.environmentOptions },
    wrappers,
    algorithm: {
      id: algorithm,
      hyperparameters,
      horizonSteps: founding.horizonSteps,
    },
    network,
    averaging: {
      strategy,
      period: founding.period,
      codec: founding.codec,
      partner,
      robust: founding.robust,
      ...(founding.periodTarget === null ? {} : { periodTarget: founding.periodTarget }),
      ...(founding.rate === null ? {} : { rate: founding.rate }),
      ...(founding.moments === undefined ? {} : { moments: founding.moments }),
      ...(isPlainAveraging(founding.outer) ? {} : { outer: founding.outer }),
    },
    ...(founding.experienceShare === undefined ? {} : { experience: { share: founding.experienceShare } }),
    seed: founding.seed,
    nonce: nonce(random),
  }
}

/** The network of the preset that a founding names: its inputs and outputs are those that any network for it must have. */
export function presetNetworkOf(founding: Founding): NetworkSpec {
  const chosen = preset(founding.algorithm, founding.environment, founding.preset)
  const wrappers = founding.wrappers ?? chosen.wrappers ?? []
  return presetNetwork(founding.algorithm, chosen.network, founding.environment, founding.environmentOptions, wrappers)
}

/** Builds the learner, whose weights complete the manifest. */
export async function foundRun(settings: PeerSettings, founding: Founding, ports: PeerPorts): Promise<Run> {
  const random = settings.deterministic ? seededRandom(founding.seed, 'founding') : ports.random
  const plan = planRun(founding, random, ports.network.id)
  const learner = await ports.workers.learner(learnerSettings(plan, settings, ports.network.id))
  checkExperienceFits(learner)
  const first = await learner.snapshot()
  const initialDigest = encodeText(await ports.workers.compute.digest(first.parameters), 'base16')
  const manifestBytes = encodeManifest({ ...plan, initialDigest })
  // What we take part in is what others will read.
  const manifest = decodeManifest(manifestBytes)
  return runOf(manifestBytes, manifest, findEnvironment(manifest.environment.id), learner, first)
}

/** Throws `usage` where not even the least that is shared at a time fits into one message. */
function checkExperienceFits(learner: Learner): void {
  const format = learner.describe().experience
  if (format === undefined) return
  const bytes = experienceBytes(format, format.kind === 'transitions' ? 1 : 0)
  if (bytes <= MAX_EXPERIENCE_BYTES) return
  const [what, advice] =
    format.kind === 'transitions'
      ? ['transition', 'leave --share-experience out']
      : ['rollout', 'make rolloutLength or environments (--set) smaller, or leave --share-experience out']
  throw new GrapevineError(
    'usage',
    'local',
    `One ${what} of this run takes ${bytes} bytes, and peers share ${MAX_EXPERIENCE_BYTES} at a time; ${advice}.`,
  )
}

/** 16 random bytes in hex. */
function nonce(random: Random): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
}
