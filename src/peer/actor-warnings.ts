/**
 * What a person should hear of actor threads: that an algorithm has no use for them, and each crash or hang after which one, or an environment of
 * the learner's own thread, was replaced.
 */
import { usesActors } from '../learn/actors.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { Learner, Progress } from '../ports/learner.ts'
import type { Manifest } from '../wire/manifest.ts'

/** `actors`: how many threads this peer was told to use. The returned function ends the watch. */
export function watchActors(
  { learner, manifest }: { readonly learner: Learner; readonly manifest: Manifest },
  actors: number,
  emit: (event: PeerEvent) => void,
): () => void {
  const { id } = manifest.algorithm
  if (actors > 0 && !usesActors(id)) {
    const message = `${id} steps its environments in the learner's own thread; --actors ${actors} changes nothing.`
    emit({ event: 'warning', code: 'actors_unused', message })
  }
  let known = 0
  return learner.onProgress(({ actors: threads }: Progress) => {
    if (threads === null || threads.restarts === known) return
    known = threads.restarts
    emit({ event: 'warning', code: 'actor_restarted', message: `${threads.lastFault} Restarts so far: ${known}.` })
  })
}
