/** Small formats of shared experience, one of each kind, and an offer in each. */
import type { ExperienceFormat, RolloutFormat, SharedExperience, TransitionFormat } from '../../src/ports/learner.ts'
import { encodeExperienceResponse } from '../../src/wire/experience.ts'
import { RUN_PREFIX_BYTES } from '../../src/wire/frame.ts'

export const TRANSITIONS: TransitionFormat = { kind: 'transitions', observationSize: 2, bytes: false, actions: 3 }
export const BYTE_TRANSITIONS: TransitionFormat = { ...TRANSITIONS, bytes: true }
export const ROLLOUT: RolloutFormat = { kind: 'rollout', steps: 2, environments: 2, observationSize: 2, actions: 3, actionWidth: 1 }
export const CONTINUOUS_ROLLOUT: RolloutFormat = { ...ROLLOUT, actions: null, actionWidth: 2 }

export function exampleExperience(format: ExperienceFormat): SharedExperience {
  if (format.kind === 'transitions') {
    const [observations, nextObservations] = format.bytes
      ? [Float32Array.of(0, 255, 3, 4), Float32Array.of(1, 2, 3, 4)]
      : [Float32Array.of(0.5, -1, 2, 3), Float32Array.of(1, 1.5, 2, 3)]
    return {
      kind: 'transitions',
      observations,
      nextObservations,
      actions: Int32Array.of(2, 0),
      rewards: Float32Array.of(1, -2.5),
      discounts: Float32Array.of(0.75, 0),
      tdErrors: Float32Array.of(0.25, 0),
    }
  }
  return {
    kind: 'rollout',
    observations: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    lastObservations: Float32Array.of(9, 10, 11, 12),
    actions: format.actions === null ? Float32Array.of(1, -1, 0, 0.5, 2, 3, 4, 5) : Int32Array.of(0, 1, 2, 0),
    logProbs: Float32Array.of(-1, -0.5, 0, -2),
    rewards: Float32Array.of(0, 1, 2, -3),
    terminated: Uint8Array.of(0, 0, 1, 0),
    truncated: Uint8Array.of(0, 1, 0, 0),
    finalObservations: Float32Array.of(13, 14),
  }
}

/** An answer that brings `experience`, or the example. */
export function exampleOffer(format: ExperienceFormat, experience = exampleExperience(format)): Uint8Array {
  const number = { incarnation: 7, sequence: 8 }
  return encodeExperienceResponse({ kind: 'experience', runPrefix: new Uint8Array(RUN_PREFIX_BYTES), number, experience }, format)
}
