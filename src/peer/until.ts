/** When a daemon has done what it was started for: after some minutes, after some steps of its own, or once its task is solved. */
import type { Clock } from '../ports/clock.ts'
import type { Peer } from './peer.ts'
import type { Until } from './settings.ts'

/** The returned function ends the watch. */
export function watchUntil(until: Until, clock: Clock, peer: Peer, stop: (reason: string) => void): () => void {
  const { learner } = peer.run
  if (until.kind === 'minutes') return clock.after(until.minutes * 60_000, () => stop(`reached ${until.minutes} minutes`))
  if (until.kind === 'solved') return learner.onProgress((progress) => progress.solved !== null && stop('solved'))
  if (until.kind === 'forever') return () => undefined
  const reached = () => learner.progress().steps >= until.steps
  // The evaluation of the last step belongs to it.
  const leave = () => void peer.evaluated().then(() => stop(`reached ${until.steps} steps`))
  const end = learner.onProgress(() => reached() && leave())
  if (reached()) leave()
  return end
}
