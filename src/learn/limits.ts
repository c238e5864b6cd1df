/** Limits of the learning part, each with its unit and reason. */

/** Bytes of parameters of one network: wasm32 holds gradients, moments and actors' copies beside them. */
export const MAX_PARAMETER_BYTES = 256 * 1_048_576

/** Floats of one layer's output for one observation: an 84x84 frame through 64 filters has 0.4 million, and batches multiply it. */
export const MAX_LAYER_FLOATS = 4 * 1_048_576

/** Floats that all layers of a policy that is run on its own make of one observation: four of the largest layer; a file cannot ask for more memory. */
export const MAX_GRAPH_FLOATS = 16 * 1_048_576

/** Multiplications that orthogonal initialisation spends on one kernel (rows x columns x the smaller): about 3 s; a 1024x1024 kernel takes half of it. */
export const MAX_ORTHOGONAL_WORK = 2_147_483_648

/** Bytes of one replay memory, 2 GiB: twenty million observations of a small task, 2 million of MinAtar as bytes; larger ones are likely slips. */
export const MAX_REPLAY_BYTES = 2_048 * 1_048_576

/** Episodes behind the mean return that is reported and compared with the threshold: Gymnasium's definition of solved. */
export const EPISODE_WINDOW = 100

/** Bad updates in a row after which the learner gives up: one may be an unlucky batch, ten are a replica beyond repair. */
export const MAX_BAD_UPDATES = 10

/** Milliseconds between two progress reports, so that a fast learner does not flood its listeners. */
export const PROGRESS_INTERVAL_MS = 100

/** Steps after which an evaluation gives up on an episode: Gymnasium's limit for Atari, 30 minutes of play; only tasks without a limit get there. */
export const EVALUATION_EPISODE_STEPS = 108_000

/** Episodes of each of the two evaluations beside training: as many as the benchmark's evaluations on the way, so that figures compare. */
export const EVALUATION_EPISODES = 20

/** Environments in which evaluations beside training play side by side: two episodes each; more would only be idle towards the end. */
export const EVALUATION_ROWS = 10

/** Steps of those environments before an evaluation looks up: of a small task about a tenth of a millisecond. */
export const EVALUATION_SLICE_STEPS = 32

/** Rollouts that each actor thread may have collected ahead of the learner: one is read while the next is written; more would only be older. */
export const ROLLOUTS_AHEAD = 2

/** Least steps of one rollout of Ape-X's actor threads: waking the learner for each single step would cost more than the step. */
export const THREAD_ROLLOUT_STEPS = 16

/** Finished episodes that a worker thread may have told nobody about: a hundredth of a second of the shortest episodes; then it waits. */
export const EPISODES_AHEAD = 4_096

/** Looks at a shared word before a thread goes to sleep on it: some microseconds, what waking it would take. */
export const SPINS_BEFORE_SLEEP = 200

/** Longest sleep on a shared word, in milliseconds, after which a thread looks again whether it is to stop, or the learner what else there is to do. */
export const SLEEP_MS = 20

/** Sleeps after which a thread inside a gate counts as dead, half a second in all: inside it only copies and applies, which takes a millisecond. */
export const GATE_PATIENCE_SLEEPS = 25

/** Milliseconds that A3C's threads update freely between two looks of the learner at requests, schedules and finished episodes. */
export const FREE_RUN_MS = 10

/** Most threads of one engine: halves of a batch are the only split that was measured to pay. */
export const MAX_ENGINE_THREADS = 2

/** Most actor threads of one learner: what large machines have cores for. */
export const MAX_ACTORS = 256

/** Episodes that an evaluation plays side by side: enough for the kernels, few enough that a hundred episodes are shared evenly. */
export const MAX_EVALUATION_ROWS = 20

/** Largest share of what a learner learns from that may be others' experience, and of one author's: a liar moves one sample in twenty. */
export const MAX_FOREIGN_SHARE = 0.2
export const MAX_AUTHOR_SHARE = 0.05

/** Authors whose experience is kept; the one heard least recently gives way. Four fill the largest share, and they take turns. */
export const MAX_FOREIGN_AUTHORS = 16

/** Transitions kept of one author, and bytes of all authors' together, which bounds them where observations are large. */
export const FOREIGN_TRANSITIONS = 1_024
export const MAX_FOREIGN_BYTES = 64 * 1_048_576

/** Transitions that are offered at a time: the best of some hundred; more would not be drawn before the next come. */
export const OFFERED_TRANSITIONS = 64

/** A reward of others beyond this multiple of the largest own one, or of 1, cannot be true: no task pays a thousand times what it showed. */
export const MAX_REWARD_RATIO = 1_000

/** Steps that a learner with a limit of steps per second may be late by and still make up for, in milliseconds: a hiccup, not a pause. */
export const MAX_CATCH_UP_MS = 1_000
