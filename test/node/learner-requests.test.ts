import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { LearnerRequest } from '../../src/node/learner-protocol.ts'
import { type Answer, LearnerRequests } from '../../src/node/learner-requests.ts'
import { GrapevineError } from '../../src/util/errors.ts'

const offer: Answer = { kind: 'offer', experience: null }
const kinds = (posted: readonly LearnerRequest[]) => posted.map(({ kind }) => kind)

test('one request at a time, in the order of the calls; a refused one does not hold the next back', async () => {
  const requests = new LearnerRequests()
  const posted: LearnerRequest[] = []
  requests.goOn((request) => posted.push(request), [])
  const [first, second] = [requests.make({ kind: 'snapshot' }), requests.make({ kind: 'hold' })]
  await turn()
  assert.deepEqual(kinds(posted), ['snapshot'])
  requests.refused(new Error('no'))
  await assert.rejects(first, { message: 'no' })
  await turn()
  assert.deepEqual(kinds(posted), ['snapshot', 'hold'])
  requests.answered(offer)
  assert.equal(await second, offer)
})

test('another thread is first brought to where the old one was, then gets what that one did not answer', async () => {
  const requests = new LearnerRequests()
  const [old, next]: [LearnerRequest[], LearnerRequest[]] = [[], []]
  requests.goOn((request) => old.push(request), [{ kind: 'run' }])
  let prepared = 0
  const mixed = requests.make({ kind: 'mix', delta: null, moments: undefined }, () => prepared++)
  await turn()
  assert.deepEqual([kinds(old), prepared], [['run', 'mix'], 1])
  requests.hold()
  requests.tell({ kind: 'stop' })
  requests.goOn((request) => next.push(request), [{ kind: 'setRateFactor', factor: 2 }])
  assert.deepEqual([kinds(old), kinds(next), prepared], [['run', 'mix'], ['setRateFactor', 'mix'], 2])
  // The answer to the request of its own is nobody's.
  requests.answered(offer)
  const done: Answer = { kind: 'taken', plausible: true }
  requests.answered(done)
  assert.equal(await mixed, done)
})

test('when it is over, what waits and what is asked later is rejected', async () => {
  const requests = new LearnerRequests()
  const waiting = requests.make({ kind: 'run' })
  await turn()
  requests.end(new GrapevineError('stopped', 'local', 'It was stopped.'))
  await assert.rejects(waiting, { code: 'stopped' })
  await assert.rejects(requests.make({ kind: 'hold' }), { code: 'stopped' })
})
