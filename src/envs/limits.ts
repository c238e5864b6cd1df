/** Limits of the environments. */

/** Rows of one vector environment. 2^20 rows of CartPole take 50 MB; a larger count is a slip of the keyboard. */
export const VECTOR_ROWS_MAX = 1_048_576
