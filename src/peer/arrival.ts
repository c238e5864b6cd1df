/** Weights that were taken over before anybody else was heard are compared with the swarm's a little later; a person hears where they are far. */
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Authors } from './authors.ts'
import { FAR_DONOR, farDonor, judgeStanding, type Standing } from './hearsay.ts'
import { ARRIVAL_CHECK_MS } from './limits.ts'

/** `initial`: what the run began with. The returned function calls it off. */
export function compareLater(
  standing: Standing,
  initial: Float32Array,
  authors: Authors,
  clock: Clock,
  emit: (event: PeerEvent) => void,
): () => void {
  return clock.after(ARRIVAL_CHECK_MS, () => {
    if (judgeStanding(standing, authors.beacons(), initial) !== 'far') return
    const message = farDonor(standing.from, 'taken before others were heard; to be safe, stop and join through another one')
    emit({ event: 'warning', code: FAR_DONOR, message })
  })
}
