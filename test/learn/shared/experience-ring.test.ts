import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Experience, experienceBytes } from '../../../src/learn/experience.ts'
import { ROLLOUTS_AHEAD } from '../../../src/learn/limits.ts'
import { ExperienceRing, ringBytes, SHARED_WORDS } from '../../../src/learn/shared/experience-ring.ts'

const SHAPE = { steps: 3, environments: 2, observationSize: 5, actionWidth: 2, discrete: false }

const sharedWords = () => new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4))

test('the parts of a rollout fill its bytes without overlap, step by step', () => {
  const buffer = new ArrayBuffer(experienceBytes(SHAPE) + 16)
  const experience = new Experience(SHAPE, 4, buffer, 8)
  experience.version = 3_000_000_000
  experience.fresh = true
  const parts = [
    experience.observations,
    experience.lastObservations,
    experience.actions,
    experience.logProbs,
    experience.rewards,
    experience.rawRewards,
    experience.finalObservations,
    experience.terminated,
    experience.truncated,
  ]
  assert.deepEqual(
    parts.map(({ length }) => length),
    [30, 10, 12, 6, 6, 6, 30, 6, 6],
  )
  parts.forEach((part, i) => {
    part.fill(i + 1)
  })
  parts.forEach((part, i) => {
    assert.ok(part.every((value) => value === i + 1))
  })
  assert.deepEqual([experience.version, experience.fresh, experience.firstRow], [3_000_000_000, true, 4])
  // What a step writes as its outcome is what the next one acts on, and what follows the last.
  experience.steps.forEach(({ out }, t) => {
    out.observations.fill(100 + t)
    out.rewards.fill(t)
  })
  assert.deepEqual([...experience.steps[1]!.observations], Array(10).fill(100))
  assert.deepEqual([...experience.lastObservations], Array(10).fill(102))
  assert.deepEqual([...experience.rewards], [0, 0, 1, 1, 2, 2])
  // Outside its bytes nothing was touched.
  assert.ok(new Uint8Array(buffer, 0, 8).every((byte) => byte === 0))
  assert.ok(new Uint8Array(buffer, 8 + experienceBytes(SHAPE)).every((byte) => byte === 0))
})

test('rollouts come out in the order in which they went in, and a full ring takes no more', () => {
  const buffer = new SharedArrayBuffer(ringBytes(SHAPE))
  const words = sharedWords()
  const actor = new ExperienceRing(SHAPE, 0, buffer, words)
  const learner = new ExperienceRing(SHAPE, 0, buffer, words)
  assert.equal(learner.oldest, null)
  let written = 0
  const write = () => {
    const experience = actor.next()
    if (experience === null) return false
    experience.version = written++
    actor.commit()
    return true
  }
  for (let i = 0; i < ROLLOUTS_AHEAD; i++) assert.ok(write())
  assert.equal(write(), false)
  for (let i = 0; i < 5; i++) {
    assert.equal(learner.oldest, i)
    assert.equal(learner.peek().version, i)
    learner.release()
    assert.ok(write())
    assert.equal(write(), false)
  }
})

test('numbers of arrival order the rollouts of several rings', () => {
  const words = sharedWords()
  const rings = [0, 1].map((i) => new ExperienceRing(SHAPE, 2 * i, new SharedArrayBuffer(ringBytes(SHAPE)), words))
  for (const i of [1, 0, 1]) {
    rings[i]!.next()
    rings[i]!.commit()
  }
  assert.deepEqual(
    rings.map((ring) => ring.oldest),
    [1, 0],
  )
  rings[1]!.release()
  assert.deepEqual(
    rings.map((ring) => ring.oldest),
    [1, 2],
  )
})
