/** A source of random bits: seeded in tests, the simulator and with `--deterministic`, the system's elsewhere. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number
  /** Uniform double in [0, 1) with 53 bits. */
  uniform(): number
  /** Another source, unrelated to this one; taking it leaves this one's numbers as they are. */
  fork(name: string): Random
}
