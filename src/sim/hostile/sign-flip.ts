/** The honest mean with its sign turned: of ordinary size, and as wrong as can be. */
import { type Attack, honestMoments } from './attack.ts'

export function signFlip(): Attack {
  return { lie: (_own, knowledge) => honestMoments(knowledge).mean.map((value) => -value) }
}
