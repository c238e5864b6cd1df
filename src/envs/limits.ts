/** Limits of the environments. */

/** Rows of one vector environment. 2^20 rows of CartPole take 50 MB; a larger count is a slip of the keyboard. */
export const VECTOR_ROWS_MAX = 1_048_576

/** Random steps with which the checker tries an environment: a few episodes of most, a second of a slow one. */
export const CHECK_STEPS = 500

/** Sentences of the checker; beyond that the first ones are what to mend. */
export const CHECK_PROBLEMS_MAX = 20

/** Crashes of one environment without ENVIRONMENT_RECOVERED_STEPS good steps in between, after which it is given up: as of Python's children. */
export const ENVIRONMENT_FAULTS_MAX = 5

/** Steps after which an environment counts as healthy again, so that a rare crash never adds up to the end of a long run. */
export const ENVIRONMENT_RECOVERED_STEPS = 1_000

/** Rows and columns of a deep sea: its observation has their product of numbers, 40 KB here; nobody has found the treasure of a larger one. */
export const MAX_DEEP_SEA_SIZE = 100

/** Seeds are 32-bit words. */
export const MAX_DEEP_SEA_MAPPING = 4_294_967_295
