/** Limits of the Python bridge: each with its unit and the reason for its value. */

/** Milliseconds until Python has imported gymnasium and made the environments: a second when warm; minutes only where something hangs. */
export const START_TIMEOUT_MS = 60_000

/** Milliseconds that one vector step or reset may take: 64 Atari games take 50 ms, a reset of a slow simulator seconds. */
export const STEP_TIMEOUT_MS = 30_000

/** Milliseconds that a child has to close its environments before it is killed; a learner has 500 ms to leave in all. */
export const CLOSE_GRACE_MS = 250

/** Milliseconds until the thread that owns the children runs: a tenth of a second, and more where every core is busy. */
export const THREAD_START_TIMEOUT_MS = 20_000

/** Milliseconds beyond a child's own deadline after which the thread that watches it counts as lost: it only has to see a timer. */
export const WORKER_GRACE_MS = 10_000

/** Milliseconds that the last lines of a child that has ended may take to arrive. */
export const LAST_WORDS_MS = 100

/** Failures of one child without RECOVERED_STEPS good steps in between, after which it is not started again. */
export const FAILURES_MAX = 5

/** Vector steps after which a child counts as healthy again, so that a rare crash never adds up to the end of a long run. */
export const RECOVERED_STEPS = 1_000

/** Children of one vector environment: more than the cores of a large machine help nobody. */
export const PROCESSES_MAX = 128

/** Numbers of one observation: 2^24 are four screens of 1920 x 1080 in colour, more than any network here takes. */
export const OBSERVATION_NUMBERS_MAX = 16_777_216

/** Bytes of shared memory of one vector environment: 1,024 Atari screens with their copies take 400 MiB. */
export const SHARED_BYTES_MAX = 1_073_741_824

/** Bytes of a description or an error as text: 32,768 bounds that all differ, the most that Python tells, take 3 MB. */
export const TEXT_BYTES_MAX = 4_194_304

/** Characters kept of what a child wrote to its error output: the end of a traceback. */
export const LAST_WORDS_CHARACTERS = 2_000
