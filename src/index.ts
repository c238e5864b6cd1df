/**
 * Grapevine as a library. Everything here keeps its shape within a major version; what is not exported here may change at any time.
 */
import { randomInt } from 'node:crypto'
import { broadcastDelta } from './average/broadcast.ts'
import { codecNamed } from './average/codecs.ts'
import { exactConsensusDistance } from './average/distance.ts'
import { clippedSurrogateLoss, clippedValueLoss, policyGradientLoss, valueLoss } from './learn/losses.ts'
import { generalisedAdvantages, lambdaReturns, nStepReturns } from './learn/returns.ts'
import { vtrace } from './learn/vtrace.ts'
import { createPeer as createDaemon, type PeerDaemon } from './peer/daemon.ts'
import { resolveSettings } from './peer/settings.ts'

export type { EnvironmentFactory } from './envs/registry.ts'
export { listEnvironments, makeEnv, makeVectorEnv, registerEnv } from './envs/registry.ts'
export type {
  BoxSpace,
  Environment,
  EnvironmentSpec,
  ResetOptions,
  Space,
  StepResult,
  VectorBuffers,
  VectorEnvironment,
} from './envs/types.ts'
export type { PeerEvent, PeerState, PeerStatus } from './observe/events.ts'
export type { PeerDaemon } from './peer/daemon.ts'
export { GrapevineError } from './util/errors.ts'

/**
 * The flags of `grapevine start` (or `join`) under their own names, without the dashes in front: `{ env: 'CartPole-v1', 'data-dir': './run' }`.
 * A program gets a dashboard only where it names `http`.
 */
export interface PeerChoices {
  /** Addresses of a run to join; without them a new run is founded. */
  readonly join?: readonly string[]
  readonly [flag: string]: unknown
}

/**
 * The daemon as a library: `await peer.start()`, listen with `peer.on`, end with `await peer.stop()`.
 * Throws a GrapevineError that lists every fault of `choices`; `start` rejects with one that says why it cannot run.
 */
export function createPeer(choices: PeerChoices = {}): PeerDaemon {
  const { join, ...flags } = choices
  return createDaemon(
    resolveSettings({
      command: join === undefined ? 'start' : 'join',
      addresses: join ?? [],
      flags: { 'no-http': flags.http === undefined, ...flags },
      file: null,
      randomSeed: randomInt(2 ** 32),
    }),
  )
}

/** Averaging as plain functions over Float32Arrays; each says in its own docstring what it computes. */
export const average = { broadcastDelta, codecNamed, consensusDistance: exactConsensusDistance }

/** The maths of reinforcement learning as plain functions over flat arrays; shapes and sources in their own docstrings. */
export const rl = {
  lambdaReturns,
  nStepReturns,
  generalisedAdvantages,
  vtrace,
  policyGradientLoss,
  valueLoss,
  clippedSurrogateLoss,
  clippedValueLoss,
}
