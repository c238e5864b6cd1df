/** Time as the peer sees it: monotonic milliseconds for durations, Unix seconds only for incarnations and log lines. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. Never steps backwards. */
  now(): number
  /** Wall-clock seconds since 1970, rounded down. May step; never used for durations. */
  unixSeconds(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void
}
