/** Entry of the player's thread: plays the newest replica that it was sent, in the environment's own pace, behind all others for the processor. */
import { parentPort, workerData } from 'node:worker_threads'
import { createEngine } from '../learn/engines/create.ts'
import { makeEnvironments } from '../learn/environments.ts'
import { Player } from '../learn/player.ts'
import { seededRandom } from '../util/random.ts'
import { inheritKernelRanking } from './kernel-ranking.ts'
import { plainError } from './learner-protocol.ts'
import { PLAY_NICENESS } from './limits.ts'
import { registerOwn } from './own-network.ts'
import type { PlayReply, PlayRequest, PlayThreadData } from './play-protocol.ts'
import { standBehind } from './priority.ts'

const { settings, seed, stepMs } = workerData as PlayThreadData
const post = (reply: PlayReply) => parentPort!.postMessage(reply)

try {
  standBehind(PLAY_NICENESS)
  inheritKernelRanking()
  await registerOwn(settings)
  const engine = await createEngine(settings.engine, { deterministic: settings.deterministic })
  const player = new Player(makeEnvironments(settings, 1), settings.network, engine, seededRandom(seed, 'play'))
  let playing = false
  const step = () => {
    try {
      post({ frame: player.step() })
      setTimeout(step, stepMs)
    } catch (error) {
      post({ error: plainError(error) })
    }
  }
  parentPort!.on('message', ({ parameters, normalisers, version }: PlayRequest) => {
    player.load({ parameters, normalisers }, version)
    if (!playing) step()
    playing = true
  })
} catch (error) {
  post({ error: plainError(error) })
}
