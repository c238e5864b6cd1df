/** Limits of averaging: each with its unit and the reason for its value. */

/**
 * A sketch farther from the swarm's median than this multiple of the median distance is left out of swarm estimates. Honest replicas of
 * one run lie within it; a fifth of invented ones just inside raise the estimate by at most two thirds.
 */
export const OUTLIER_RATIO = 3

/** Radius of clipping in own moves between mixes. Two replicas that move independently and mix by halves stand about two moves apart. */
export const CLIP_FACTOR = 4

/** Mixes over which the typical own move is averaged: follows a falling learning rate, forgives one odd update. */
export const CLIP_MEMORY = 10

/** The radius doubles after this many mixes in a row clipped whole, from this many authors: one stranger alone cannot widen it. */
export const CLIP_PATIENCE_MIXES = 10
export const CLIP_PATIENCE_AUTHORS = 2

/** Widest radius in units of the patient one: 2^10, which a healed partition reaches after 100 mixes. */
export const MAX_CLIP_BOOST = 1_024
