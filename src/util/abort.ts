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
