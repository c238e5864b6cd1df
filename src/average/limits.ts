/** Limits of averaging: each with its unit and the reason for its value. */

/**
 * A sketch farther from the swarm's median than this multiple of the median distance is left out of swarm estimates. Honest replicas of
 * one run lie within it; a fifth of invented ones just inside raise the estimate by at most two thirds.
 */
export const OUTLIER_RATIO = 3
