/**
 * Grapevine as a library. Everything here keeps its shape within a major version; what is not exported here may change at any time.
 */
import { randomInt } from 'node:crypto'
import { broadcastDelta } from './average/broadcast.ts'
import { codecNamed } from './average/codecs.ts'
import { robustDelta } from './average/combine.ts'
import { exactConsensusDistance } from './average/distance.ts'
import { outerStep } from './average/outer.ts'
import { matching, ringNeighbours } from './average/partners.ts'
import { clipFactor } from './average/robust.ts'
import { clippedSurrogateLoss, clippedValueLoss, policyGradientLoss, valueLoss } from './learn/losses.ts'
import { NStepTransitions } from './learn/n-step.ts'
import { doubleQTargets, duelingValues, qLearningLoss } from './learn/q-losses.ts'
import { importanceWeights, PrioritisedReplay, priorityOf, replayBatch } from './learn/replay.ts'
import { generalisedAdvantages, lambdaReturns, nStepReturns } from './learn/returns.ts'
import { vtrace } from './learn/vtrace.ts'
import { readNetworkModule } from './node/own-network.ts'
import { createPeer as createDaemon, type PeerDaemon } from './peer/daemon.ts'
import { resolveSettings } from './peer/settings.ts'
import { requireSimulation, resolveSimulation } from './sim/options.ts'
import { runSimulation, type SimulationHooks, type SimulationResult, type SimulationSummary } from './sim/simulate.ts'
import { GrapevineError } from './util/errors.ts'
import { seededRandom } from './util/random.ts'

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
export type { NetworkContext } from './learn/engines/own-models.ts'
export type { PeerEvent, PeerState, PeerStatus } from './observe/events.ts'
export type { PeerDaemon } from './peer/daemon.ts'
export type { RoundOptions, RunningStrategy, Strategy, StrategyContext } from './peer/strategies/strategy.ts'
export { registerStrategy } from './peer/strategies.ts'
export type { ActOptions, Policy, PolicyFacts } from './policy.ts'
export { loadPolicy } from './policy.ts'
export type { FaultRecord } from './sim/faults.ts'
export type { Curves } from './sim/recorder.ts'
export type { NodeEvent, SimulationHooks, SimulationResult, SimulationSummary } from './sim/simulate.ts'
export { GrapevineError }

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
  if (typeof choices !== 'object' || choices === null) {
    throw new GrapevineError('usage', 'local', `createPeer takes an object of settings, such as { env: 'CartPole-v1' }, not ${choices}.`)
  }
  const { join, ...flags } = choices
  if (join !== undefined && !(Array.isArray(join) && join.length > 0 && join.every((address) => typeof address === 'string'))) {
    throw new GrapevineError(
      'usage',
      'local',
      'join takes a list of addresses, or of invitations, as text; leave it out to found a new run.',
    )
  }
  const networkModule = typeof flags.network === 'string' && flags.network !== '' ? readNetworkModule(flags.network) : null
  return createDaemon(
    resolveSettings({
      command: join === undefined ? 'start' : 'join',
      addresses: join ?? [],
      flags: { 'no-http': flags.http === undefined, ...flags },
      file: null,
      networkModule,
      randomSeed: randomInt(2 ** 32),
    }),
  )
}

/**
 * A swarm of real peers in this process, on virtual time. `choices` are the flags of `grapevine simulate` under their own names, without the
 * dashes: `{ nodes: 16, 'until-return': 475, loss: 0.1 }`; `scenario` is the list of its steps. The same choices give the same result, bit
 * for bit, on every machine. Resolves with the summary and with curves of one point per round, the start first.
 * Rejects with a GrapevineError that lists every fault of `choices`, and with the learner's error where learning fails in lock step.
 */
export async function simulate(
  choices: Readonly<Record<string, unknown>> = {},
  hooks: SimulationHooks = {},
): Promise<SimulationSummary & Omit<SimulationResult, 'summary'>> {
  requireSimulation(choices)
  const { summary, ...rest } = await runSimulation(resolveSimulation(choices), hooks)
  return { ...summary, ...rest }
}

/**
 * Averaging as plain functions over Float32Arrays of one length; each says in its own docstring what it computes and what it throws.
 * `broadcastDelta` with one other is the move of a pairwise exchange; `robustDelta` is the same under `clip`, `median` or `trimmed`; `clipFactor`
 * is what a far difference is multiplied by; `codecNamed` is how parameters travel; `outerStep` is momentum over mixes; `matching` and
 * `ringNeighbours` are rules of who meets whom; `consensusDistance` is how far replicas are apart.
 */
export const average = {
  broadcastDelta,
  robustDelta,
  clipFactor,
  codecNamed,
  outerStep,
  matching,
  ringNeighbours,
  consensusDistance: exactConsensusDistance,
}

/**
 * The maths of reinforcement learning over flat, row-major arrays: returns, V-trace, losses (each writes the gradient with respect to the outputs
 * and returns the loss), and prioritised replay. Shapes, errors and sources are in their own docstrings; arrays that do not fit throw `shape`.
 * `PrioritisedReplay` holds transitions that `NStepTransitions` makes of steps, draws into a `replayBatch`, with chance from `seededRandom(seed)`.
 */
export const rl = {
  lambdaReturns,
  nStepReturns,
  generalisedAdvantages,
  vtrace,
  policyGradientLoss,
  valueLoss,
  clippedSurrogateLoss,
  clippedValueLoss,
  duelingValues,
  doubleQTargets,
  qLearningLoss,
  PrioritisedReplay,
  NStepTransitions,
  replayBatch,
  priorityOf,
  importanceWeights,
  seededRandom,
}
