/** From a run's environment, wrappers and network to what a policy of it needs to act alone: the same pipeline as in training, as plain values. */
import { findEnvironment, makeVectorEnv } from '../envs/registry.ts'
import type { BoxSpace, Space } from '../envs/types.ts'
import type { Moments } from '../envs/wrappers/moments.ts'
import { type WrapperUse, wrapVector } from '../envs/wrappers/wrap.ts'
import type { NetworkSpec, Normaliser } from '../ports/learner.ts'
import type { ActionStage, ObservationStage, PolicyFacts } from '../ports/policy.ts'

export interface TrainedReplica {
  readonly environment: { readonly id: string; readonly options: Readonly<Record<string, unknown>> }
  /** Innermost first. */
  readonly wrappers: readonly WrapperUse[]
  readonly algorithm: string
  readonly network: NetworkSpec
  /** Of the normalising wrappers, innermost first. */
  readonly normalisers: readonly Normaliser[]
  readonly run: string
  readonly version: number
  readonly steps: number
  readonly returnMean: number | null
}

/** Throws GrapevineErrors of the registry and the wrappers. */
export function policyFacts(replica: TrainedReplica): PolicyFacts {
  const { environment, wrappers, normalisers } = replica
  const { id, options } = environment
  const spaces = wrappers.map((_, i) => spacesWith(id, options, wrappers.slice(0, i)))
  const whole = spacesWith(id, options, wrappers)
  const observe: ObservationStage[] = []
  const act: ActionStage[] = []
  let moments = 0
  for (const [i, wrapper] of wrappers.entries()) {
    const inner = spaces[i]!
    if (wrapper.id === 'normaliseObservations') observe.push(normalisation(wrapper, normalisers[moments]))
    if (wrapper.id === 'frameStack') observe.push(stacking(wrapper, inner.observationSpace))
    if (wrapper.id.startsWith('normalise')) moments++
    if (wrapper.id === 'clipAction') act.unshift(clipping(inner.actionSpace))
    if (wrapper.id === 'rescaleAction') act.unshift(rescaling(wrapper, inner.actionSpace))
  }
  const { actionSpace } = whole
  const inner = spaces[0] ?? whole
  return {
    environment: { id, version: findEnvironment(id, options).version, options },
    wrappers,
    algorithm: replica.algorithm,
    network: replica.network,
    observationShape: inner.observationSpace.shape,
    observe,
    action:
      actionSpace.kind === 'discrete'
        ? { kind: 'discrete', n: actionSpace.n }
        : { kind: 'box', size: actionSpace.low.length, stages: [clipping(actionSpace), ...act] },
    run: replica.run,
    version: replica.version,
    steps: replica.steps,
    returnMean: replica.returnMean,
  }
}

function spacesWith(id: string, options: Readonly<Record<string, unknown>>, wrappers: readonly WrapperUse[]) {
  const environment = wrapVector(makeVectorEnv(id, 1, options), wrappers)
  const { observationSpace, actionSpace } = environment
  environment.close()
  return { observationSpace, actionSpace }
}

function normalisation({ options }: WrapperUse, moments: Moments | undefined): ObservationStage {
  const { clip = 10, epsilon = 1e-8 } = options as { clip?: number; epsilon?: number }
  const { count = 0, mean = [], m2 = [] } = moments ?? {}
  // Before any sample: 0 and 1, as RunningMoments reads.
  const variance = [...m2].map((value) => (count === 0 ? 1 : value / count))
  return { kind: 'normalise', clip, epsilon, mean: [...mean], variance }
}

function stacking({ options }: WrapperUse, { shape }: BoxSpace): ObservationStage {
  const { frames = 4 } = options as { frames?: number }
  return { kind: 'stack', frames, depth: shape.at(-1) ?? 1 }
}

function clipping(space: Space): ActionStage {
  const { low, high } = box(space)
  const bounds = (values: Float32Array) => [...values].map((value) => (Number.isFinite(value) ? value : null))
  return { kind: 'clip', low: bounds(low), high: bounds(high) }
}

function rescaling({ options }: WrapperUse, space: Space): ActionStage {
  const { low: from = -1, high: to = 1 } = options as { low?: number; high?: number }
  const { low, high } = box(space)
  return { kind: 'rescale', from: [from, to], low: [...low], high: [...high] }
}

/** The wrappers that ask made sure of it. */
function box(space: Space): BoxSpace {
  if (space.kind === 'box') return space
  return { kind: 'box', shape: [0], low: new Float32Array(0), high: new Float32Array(0) }
}
