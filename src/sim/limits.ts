/** Limits of the simulator: each with its unit and the reason for its value. */

/** Peers of one simulation: a thousand replicas of a small network fit in 2 GiB; more is a mistyped number. */
export const MAX_NODES = 4_096

/** Rounds of one simulation: a million lines of a curve. */
export const MAX_ROUNDS = 1_000_000

/** Parameters of a replica that does not learn: what joins must be a network of the environment, and a small output takes five. */
export const MIN_DIMENSION = 6

export const MAX_DIMENSION = 10_000_000

/** Virtual milliseconds that an update takes unless said otherwise: a small network on one core needs about as long. */
export const DEFAULT_UPDATE_MS = 1

/** Longest virtual time of one update, in milliseconds. */
export const MAX_UPDATE_MS = 3_600_000

/** Virtual milliseconds from one peer to another where no latency is given: one machine room. */
export const DEFAULT_LATENCY_MS = 1

/** Connections that every peer opens before a free-running simulation begins: gossip needs about six. */
export const FIRST_CONNECTIONS = 6

/** Whoever has not answered the first dials after this many virtual milliseconds is dialled later, by the peer itself. */
export const FIRST_DIALS_MS = 5_000

/** Virtual milliseconds that one lock-step averaging step may take: all deadlines and back-offs of an exchange pass in it. */
export const STEP_LIMIT_MS = 600_000

/** A connection over which nothing comes is given up after this many milliseconds: libp2p pings every 10 s and waits as long. */
export const KEEP_ALIVE_MS = 20_000

/** Restarted peers that find nobody to join try again after this many milliseconds. */
export const REJOIN_MS = 5_000

/** Steps of a scenario; more is written by a program, which can use the library. */
export const MAX_SCENARIO_STEPS = 10_000

/** Virtual milliseconds in which all peers have stopped: every deadline of theirs is shorter. */
export const STOP_LIMIT_MS = 3_600_000

/** Mixes of the founder that a page is shown between two figures: more than an eye follows. */
export const MAX_WATCHED_MIXES = 20

/** Rounds that `--delay` may keep a message: beyond, nothing is left to see of averaging. */
export const MAX_DELAY_ROUNDS = 100
