/**
 * Aborts `child` when `parent` aborts; the returned function unlinks them. For parents that outlive many children: `AbortSignal.any` leaves
 * a trace of every child in its parents for ever (Node 22, measured: 240 bytes each, 1.2 kB with a listener).
 */
export function follow(parent: AbortSignal, child: AbortController): () => void {
  const abort = () => child.abort(parent.reason)
  if (parent.aborted) abort()
  parent.addEventListener('abort', abort, { once: true })
  return () => parent.removeEventListener('abort', abort)
}

/** The `sleep` of a clock whose `after` is given: resolves after `ms`, or rejects with the reason of `signal` when it aborts first. */
export function sleepOn(after: (ms: number, run: () => void) => () => void): (ms: number, signal?: AbortSignal) => Promise<void> {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
}
