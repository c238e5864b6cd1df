/** Limits of what is stored: each with its unit and the reason for its value. */

/** Addresses kept for one run: enough to find a swarm again of which most have moved; dialling them all takes a minute. */
export const MAX_STORED_ADDRESSES = 128

/** Runs whose addresses are kept, the latest first: a data folder may have founded many. */
export const MAX_STORED_RUNS = 8

/** Bans kept: one sybil attack of a night; each is about 200 bytes. */
export const MAX_STORED_BANS = 4_096
/** Checkpoints kept of one run beside the best: the last may be damaged by a failing disk, and the one before may be, too. */
export const KEPT_CHECKPOINTS = 3

/** Training episodes behind a mean return that tells a good replica: the mean of the first few is luck. */
export const SCORED_EPISODES = 100

/** Bytes of one checkpoint: Node reads no file of 2 GiB at once. */
export const MAX_CHECKPOINT_BYTES = 2_147_483_647

/** Records of runs kept in one data folder, each up to some 2 MB: what a month of trying brings. */
export const KEPT_RECORDS = 16
