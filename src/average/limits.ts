/** Limits of averaging: each with its unit and the reason for its value. */

/**
 * A sketch farther from the swarm's median than this multiple of the median distance is left out of swarm estimates. Honest replicas of
 * one run lie within it; a fifth of invented ones just inside raise the estimate by at most two thirds.
 */
export const OUTLIER_RATIO = 3

/**
 * How many times farther from the swarm's median than the swarm is wide, or than it has come from the initial weights, a donor's snapshot may
 * be. Beacons are up to four seconds older than a snapshot, in which a young swarm can double its way.
 */
export const FAR_RATIO = 3

/** A snapshot of more updates than the beacons tell of may have come farther in proportion, up to this factor: its version is its donor's claim. */
export const MOST_HEAD_START = 4

/** Share of the initial weights' norm below which nothing is far: of a swarm that has hardly moved there is nothing to be far from. */
export const LEAST_FAR = 0.1

/**
 * Radius of clipping in own moves between mixes. Replicas that moved independently since they were equal are root 2 moves apart, and snapshots
 * that are not of the same moment a little more; every further move is room for liars.
 */
export const CLIP_FACTOR = 2

/** An author is far when its difference is clipped to this share or less, while FAR_MAJORITY of the others mixed lately are not clipped at all. */
export const FAR_FACTOR = 0.35
export const FAR_MAJORITY = 2 / 3

/** Mixes in which an author was far, less those in which it was not, that tell a liar from an honest peer whose last updates were long. */
export const FAR_STRIKES = 5

/** Others that must have been mixed lately before anybody is called far. */
export const FAR_LEAST_OTHERS = 2

/** Authors whose last factors are remembered for that. */
export const FAR_AUTHORS = 64

/** Earlier places that are kept: those less than PLACE_DENSITY times their stride of mixes ago, for strides of 1, 2, 4, ... MAX_PLACE_STRIDE. 28 of them, 256 mixes back. */
export const PLACE_DENSITY = 8
export const MAX_PLACE_STRIDE = 32

/**
 * Who is late is compared with where it was so many mixes ago or up to twice as many: since then it was part of at most LATE_PACE of our mixes, and
 * has come at least LATE_WAY of our way. Peers that are less than four times slower are hardly ever far. Noise moves the nearest place by up to 25
 * mixes, and who lags farther back every time still comes 0.35 of the way; what is replayed comes 0.25 of it at most, because the oldest places
 * are forgotten.
 */
export const LATE_MIXES = 64
export const LATE_PACE = 0.25
export const LATE_WAY = 0.3

/** Or it has come nearer to this share of the distance it had then: a laggard whose own radius holds it back still comes a fifth of the way with each mix. */
export const NEARER = 0.9

/** Mixes of whose own moves the median is typical, unless the latest is longer: the wide ones of the first updates are forgotten after three mixes. */
export const CLIP_MEMORY = 5

/**
 * Beside at least CROWD_LEAST others a difference counts for less beyond this many times their median, or our own last move if that is more.
 * Those of honest peers that mixed with the same ones differ by a factor of two; the median of three is right where one lies.
 */
export const CROWD_FACTOR = 3
export const CROWD_LEAST = 3

/** The radius doubles after this many mixes in a row clipped whole, from this many authors: one stranger alone cannot widen it. */
export const CLIP_PATIENCE_MIXES = 10
export const CLIP_PATIENCE_AUTHORS = 2

/** Widest radius in units of the patient one: 2^10, which a healed partition reaches after 100 mixes. */
export const MAX_CLIP_BOOST = 1_024

/** Share of the votes that a trimmed mean drops at either end: a fifth of hostile neighbours, and one more of each four that chance brings. */
export const TRIMMED_SHARE = 0.25

/** Exponent of consensus control: the distance grows about in proportion to the period, so a half closes half of the gap (as ratios) a time. */
export const CONTROL_GAIN = 0.5

/** Largest factor by which the period changes at once: one odd estimate does not throw it off. */
export const CONTROL_MAX_STEP = 1.5

/** Rounds that peers who begin together may be apart: they meet by single steps, where jumps would have two of them change places. */
export const FAR_SHIFT = 8

/**
 * The learning rate's factor rises at most so much from mix to mix: twice the rate takes four, and a crowd that comes and goes moves it by a quarter.
 * At a tenth the rise alone cost A2C with 8 peers 2k of its 13k steps on CartPole.
 */
export const RATE_RISE = 1.25

/** Relative consensus distances: where to stay, and from where on learning is known to suffer. */
export interface ConsensusLevels {
  readonly target: number
  readonly danger: number
}

/**
 * Measured with 8 peers on CartPole: PPO is untouched up to 0.15 and pays beyond 0.25 to 0.3, its peers are no better than alone from 0.7; A2C
 * is about five times as sensitive. IMPALA and A3C are taken to be like A2C, whose gradients they share, Ape-X like PPO.
 */
export const CONSENSUS_LEVELS: Readonly<Record<string, ConsensusLevels>> = {
  ppo: { target: 0.15, danger: 0.5 },
  apex: { target: 0.15, danger: 0.5 },
  a2c: { target: 0.03, danger: 0.1 },
  a3c: { target: 0.03, danger: 0.1 },
  impala: { target: 0.03, danger: 0.1 },
}

/** Of algorithms that nobody has measured: the cautious ones. */
export const OTHER_CONSENSUS_LEVELS: ConsensusLevels = { target: 0.03, danger: 0.1 }

/** Mixes over which the distance is smoothed, and after which the period may change again. */
export const CONSENSUS_MEMORY_MIXES = 5

/** Rounds after which it is known whether they come evenly. */
export const EVEN_ROUNDS = 4

/** The longest time between two of them over the shortest, at most: what a busy machine does to rounds that are even, and not what bursts do. */
export const EVEN_FACTOR = 2
