import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { watchActors } from '../../src/peer/actor-warnings.ts'
import type { Run } from '../../src/peer/run.ts'
import type { Progress } from '../../src/ports/learner.ts'

/** A run of `algorithm` whose learner reports what it is told to. */
function runOf(algorithm: string) {
  let tell: (progress: Progress) => void = () => undefined
  const learner = {
    onProgress(listener: (progress: Progress) => void) {
      tell = listener
      return () => undefined
    },
  }
  const run = { learner, manifest: { algorithm: { id: algorithm } } } as unknown as Run
  return { run, report: (actors: Progress['actors']) => tell({ actors } as Progress) }
}

test('threads that an algorithm has no use for are mentioned once, in one sentence', () => {
  const events: PeerEvent[] = []
  watchActors(runOf('ppo').run, 2, (event) => events.push(event))
  watchActors(runOf('ppo').run, 0, (event) => events.push(event))
  watchActors(runOf('impala').run, 2, (event) => events.push(event))
  assert.deepEqual(events, [
    {
      event: 'warning',
      code: 'actors_unused',
      message: "ppo steps its environments in the learner's own thread; --actors 2 changes nothing.",
    },
  ])
})

test('each restart of an actor is told with its reason', () => {
  const events: PeerEvent[] = []
  const { run, report } = runOf('a3c')
  watchActors(run, 2, (event) => events.push(event))
  report(null)
  report({ restarts: 0, lastFault: null })
  report({ restarts: 1, lastFault: 'Actor 1 was started again: the door is stuck.' })
  report({ restarts: 1, lastFault: 'Actor 1 was started again: the door is stuck.' })
  assert.deepEqual(events, [
    {
      event: 'warning',
      code: 'actor_restarted',
      message: 'Actor 1 was started again: the door is stuck. Restarts so far: 1.',
    },
  ])
})
