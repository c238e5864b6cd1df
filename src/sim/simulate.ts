/**
 * Simulates a swarm: N real peers (the daemon's own core) on virtual time and a network in memory, all from one seed. Two simulations with
 * the same settings are the same bit for bit, on any machine.
 */
import { sampleGaussian } from '../learn/distributions.ts'
import { createEngine } from '../learn/engines/create.ts'
import type { PacedCore } from '../learn/inline-learner.ts'
import { createLearner } from '../learn/learner.ts'
import { preset, presetNetwork } from '../learn/presets.ts'
import type { PeerEvent } from '../observe/events.ts'
import { foundRun } from '../peer/found.ts'
import type { Run } from '../peer/run.ts'
import type { Founding } from '../peer/settings/founding.ts'
import type { PeerSettings } from '../peer/settings.ts'
import type { LearnerSettings, NetworkSpec } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import type { Manifest } from '../wire/manifest.ts'
import { VirtualClock } from './clock.ts'
import { accountOf, settleCrashed } from './drift.ts'
import type { FaultRecord } from './faults.ts'
import { freeSwarm } from './free.ts'
import { STOP_LIMIT_MS } from './limits.ts'
import { lockstepSwarm } from './lockstep.ts'
import type { SimulatedNode } from './node.ts'
import type { SimulateSettings } from './options.ts'
import { type Curves, Recorder } from './recorder.ts'
import { StillCore } from './still-core.ts'
import type { Between, Swarm, SwarmContext } from './swarm.ts'

/** How a simulation ended; the last line of `grapevine simulate --json`. Unknown numbers are null. */
export interface SimulationSummary {
  readonly event: 'summary'
  readonly nodes: number
  /** Rounds made. */
  readonly rounds: number
  readonly seed: number
  /** At the start, then after each round. */
  readonly consensusDistance: readonly number[]
  /**
   * With learning off: norm(mean at the end - mean at the start - ledger) / root mean square norm at the start, the mean of push-sum by weight,
   * what is on its way included; else, and where push-sum lost peers, null.
   */
  readonly meanDrift: number | null
  /** Mean return of the last 100 episodes of each peer. */
  readonly returns: readonly (number | null)[]
  /** Sent by all peers. */
  readonly bytes: number
  readonly virtualSeconds: number
  /** SHA-256 (hex) over the parameters of all replicas, in the order of the peers. */
  readonly digest: string
}

/** What a simulation gives beside its summary. */
export interface SimulationResult {
  readonly summary: SimulationSummary
  readonly curves: Curves
  /** As the run's manifest has it: `auto` resolved. */
  readonly averaging: Manifest['averaging']
  /** What the scenario did. */
  readonly faults: readonly FaultRecord[]
}

/** An event of one peer (its number, the founder 0), and when it happened. */
export type NodeEvent = PeerEvent & { readonly node: number; readonly seconds: number }

/** What is told, and may be held, while a simulation runs. */
export interface SimulationHooks {
  readonly onEvent?: (event: NodeEvent) => void
  readonly onFault?: (record: FaultRecord) => void
  /** After the start and after every round. */
  readonly onRound?: (round: number, curves: Curves, replicas: readonly Float32Array[]) => void
  /** Once, before the first round. */
  readonly onSwarm?: (nodes: readonly SimulatedNode[]) => void
  /** Asked before each round, which waits for what it returns; null: go on. */
  readonly held?: () => Promise<void> | null
  /** Lock step only. */
  readonly between?: Between
  /** Ends the simulation after the round under way. */
  readonly signal?: AbortSignal
}

/** Rejects with a GrapevineError when the run cannot be founded, and with the learner's error when learning fails in lock step. */
export async function runSimulation(settings: SimulateSettings, hooks: SimulationHooks = {}): Promise<SimulationResult> {
  const clock = new VirtualClock()
  const faults: FaultRecord[] = []
  /** Taking the swarm down is no part of the simulation. */
  let over = false
  const { found } = settings.peer.run as { readonly found: Founding }
  const founding: Founding = settings.dimension === null ? found : { ...found, network: plainNetwork(settings.dimension, found) }
  const peer: PeerSettings = { ...settings.peer, run: { found: founding } }
  const context: SwarmContext = {
    clock,
    settings: { ...settings, peer },
    seed: found.seed,
    makeCore: await coreMaker(settings),
    onFault: (record) => {
      faults.push(record)
      hooks.onFault?.(record)
    },
    emit: (node, event) => {
      if (!over) hooks.onEvent?.({ ...event, node, seconds: clock.now() / 1_000 })
    },
    prepare: (node, run) => (settings.init === 'independent' ? adoptOwn(found.seed, node, run) : Promise.resolve()),
    foundRun: (ports) => foundRun(peer, founding, ports),
    between: hooks.between ?? null,
  }
  const swarm = settings.mode === 'lockstep' ? await lockstepSwarm(context) : await freeSwarm(context)
  try {
    return { ...(await measure(swarm, settings, found.seed, clock, hooks)), faults }
  } finally {
    over = true
    // What peers wait for while they stop may need time to pass.
    await clock.during(Promise.all(swarm.nodes.map((node) => node.crash())), STOP_LIMIT_MS)
  }
}

async function measure(
  swarm: Swarm,
  settings: SimulateSettings,
  seed: number,
  clock: VirtualClock,
  { onSwarm, onRound, held, signal }: SimulationHooks,
): Promise<Omit<SimulationResult, 'faults'>> {
  const recorder = new Recorder(swarm.nodes)
  const { curves } = recorder
  onSwarm?.(swarm.nodes)
  recorder.record(clock.now())
  onRound?.(0, curves, recorder.replicas)
  const ended = () => signal?.aborted === true
  let rounds = 0
  while (rounds < settings.rounds && !ended()) {
    await held?.()
    if (ended()) break
    await swarm.round(++rounds)
    settleCrashed(swarm.nodes)
    recorder.record(clock.now())
    onRound?.(rounds, curves, recorder.replicas)
    const reached = curves.returnMean.at(-1) ?? null
    if (settings.untilReturn !== null && reached !== null && reached >= settings.untilReturn) break
  }
  const summary: SimulationSummary = {
    event: 'summary',
    nodes: settings.nodes,
    rounds,
    seed,
    consensusDistance: curves.consensusDistance,
    meanDrift: settings.learning ? null : recorder.meanDrift(accountOf(swarm.nodes)),
    returns: recorder.returns(),
    bytes: curves.bytes.at(-1)!,
    virtualSeconds: curves.virtualSeconds.at(-1)!,
    digest: recorder.digest(),
  }
  return { summary, curves, averaging: swarm.averaging }
}

/** One engine, and one memory, for all peers: each has its own network on it. */
async function coreMaker({ learning }: SimulateSettings): Promise<(settings: LearnerSettings) => Promise<PacedCore>> {
  if (!learning) return async (settings) => new StillCore(settings)
  const engine = await createEngine('wasm', { deterministic: true })
  return (settings) => createLearner(settings, engine)
}

/** Parameters of this peer's own: independent, each from N(0, 1). */
async function adoptOwn(seed: number, node: number, { learner, parameterCount }: Run): Promise<void> {
  const parameters = new Float32Array(parameterCount)
  sampleGaussian(new Float32Array(parameterCount), new Float32Array(1), seededRandom(seed, 'replica', node), parameters)
  await learner.adopt({ parameters, target: null, version: 0, steps: 0, normalisers: [] })
}

/** A network of this many parameters that fits the environment of the run: a small output, and everything else in one vector. */
function plainNetwork(parameters: number, { algorithm, environment, environmentOptions }: Founding): NetworkSpec {
  const { input } = presetNetwork(algorithm, preset(algorithm, environment).network, environment, environmentOptions)
  const output = input.reduce((product, size) => product * size, 1) + 1
  return {
    input,
    torso: [],
    heads: [{ name: 'output', layers: [], size: 1, gain: 1 }],
    vectors: [{ name: 'vector', size: parameters - output, initial: 0 }],
  }
}
