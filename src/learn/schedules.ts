/**
 * Schedules over the environment steps of one peer. After `horizonSteps` they keep their final value, so a run never stops learning.
 */

/** Linear from `initial` at step 0 to `final` at `horizonSteps`, then constant. */
export function linearSchedule(initial: number, final: number, horizonSteps: number, step: number): number {
  if (step >= horizonSteps) return final
  return initial + (final - initial) * (step / horizonSteps)
}
