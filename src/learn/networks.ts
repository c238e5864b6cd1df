/**
 * From a plan (which layers) to a network spec for one algorithm and the spaces of one environment: input shape, heads, free vectors.
 */
import type { BoxSpace, Space } from '../envs/types.ts'
import type { LayerSpec, NetworkSpec } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { policyOutputs } from './policy-head.ts'

/** The part of a network that a preset chooses. */
export interface NetworkPlan {
  /** Layers that all heads share. */
  readonly torso: readonly LayerSpec[]
  /** Layers that each head has of its own. */
  readonly head: readonly LayerSpec[]
}

/** Policy and value heads for actor-critic algorithms: outputs `logits` (or `mean` and the vector `logStd`) and `value`. */
export function actorCriticNetwork(plan: NetworkPlan, observationSpace: BoxSpace, actionSpace: Space): NetworkSpec {
  const policy = policyOutputs(actionSpace, plan.head)
  return {
    input: observationSpace.shape,
    torso: plan.torso,
    heads: [policy.head, { name: 'value', layers: plan.head, size: 1, gain: 1 }],
    vectors: policy.vectors,
  }
}

/** Dueling heads for value-based algorithms: outputs `value` and `advantage`. Throws `action_space` where actions are continuous. */
export function duelingNetwork(plan: NetworkPlan, observationSpace: BoxSpace, actionSpace: Space): NetworkSpec {
  return {
    input: observationSpace.shape,
    torso: plan.torso,
    heads: [
      { name: 'value', layers: plan.head, size: 1, gain: 1 },
      { name: 'advantage', layers: plan.head, size: requireDiscrete(actionSpace), gain: 1 },
    ],
    vectors: [],
  }
}

/** The number of actions. Throws GrapevineError `action_space` where they are continuous. */
export function requireDiscrete(space: Space): number {
  if (space.kind === 'discrete') return space.n
  throw new GrapevineError(
    'action_space',
    'local',
    'apex chooses among a number of actions, and those of this environment are continuous; use an actor-critic algorithm such as a2c.',
  )
}
