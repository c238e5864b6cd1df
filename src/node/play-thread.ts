/**
 * Lets the current policy play in a thread of its own while somebody watches: a replica at most PLAY_REPLICA_MS old, one step every PLAY_STEP_MS.
 * The returned function ends it, and resolves when the thread is gone. What goes wrong is told once, and training goes on.
 */
import type { LearnerSettings, Replica } from '../ports/learner.ts'
import type { PlayFrame } from '../ports/play.ts'
import { messageOf } from '../util/errors.ts'
import { PLAY_REPLICA_MS, PLAY_STEP_MS } from './limits.ts'
import type { PlayReply, PlayRequest, PlayThreadData } from './play-protocol.ts'
import { startWorker } from './start-worker.ts'

export interface Audience {
  show(frame: PlayFrame): void
  failed(message: string): void
}

/** `replica`: how the policy stands now. */
export function playPolicy(settings: LearnerSettings, replica: () => Promise<Replica>, audience: Audience): () => Promise<void> {
  const data: PlayThreadData = { settings, seed: settings.actorSeed, stepMs: PLAY_STEP_MS }
  const worker = startWorker('play-worker', { workerData: data, name: 'player' })
  let over = false
  const end = async () => {
    over = true
    clearInterval(timer)
    await worker.terminate()
  }
  const fail = (message: string) => {
    if (!over) audience.failed(message)
    void end()
  }
  const send = async () => {
    try {
      const { parameters, normalisers, version } = await replica()
      if (!over) worker.postMessage({ parameters, normalisers, version } satisfies PlayRequest)
    } catch (error) {
      fail(messageOf(error))
    }
  }
  worker.on('message', (reply: PlayReply) => {
    if (over) return
    if ('frame' in reply) audience.show(reply.frame)
    else fail(reply.error.message)
  })
  worker.on('error', (error) => fail(error.message))
  const timer = setInterval(() => void send(), PLAY_REPLICA_MS)
  void send()
  return end
}
