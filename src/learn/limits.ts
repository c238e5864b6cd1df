/** Limits of the learning part, each with its unit and reason. */

/** Bytes of parameters of one network: wasm32 holds gradients, moments and actors' copies beside them. */
export const MAX_PARAMETER_BYTES = 256 * 1_048_576

/** Floats of one layer's output for one observation: an 84x84 frame through 64 filters has 0.4 million, and batches multiply it. */
export const MAX_LAYER_FLOATS = 4 * 1_048_576

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
