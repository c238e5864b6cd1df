import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Experience, type ExperienceShape } from '../../src/learn/experience.ts'
import { ForeignReplay } from '../../src/learn/foreign-replay.ts'
import { ForeignRollouts } from '../../src/learn/foreign-rollouts.ts'
import { createLearner } from '../../src/learn/learner.ts'
import { FOREIGN_TRANSITIONS, MAX_AUTHOR_SHARE, MAX_FOREIGN_AUTHORS, MAX_FOREIGN_SHARE } from '../../src/learn/limits.ts'
import { duelingNetwork } from '../../src/learn/networks.ts'
import { PrioritisedReplay, replayBatch } from '../../src/learn/replay.ts'
import { foreignRows, sharingFault } from '../../src/learn/sharing.ts'
import type { LearnerSettings, SharedRollout, SharedTransitions } from '../../src/ports/learner.ts'
import { seededRandom } from '../../src/util/random.ts'
import { algorithmSettings, parametersOf, toySettings, update } from './toy.ts'

const FORMAT = { kind: 'transitions', observationSize: 2, bytes: false, actions: 3 } as const

/** `count` transitions whose observations are `value`, with errors of `tdError`. */
function transitions(value: number, count: number, changes: Partial<SharedTransitions> = {}): SharedTransitions {
  return {
    kind: 'transitions',
    observations: new Float32Array(2 * count).fill(value),
    nextObservations: new Float32Array(2 * count).fill(-value),
    actions: new Int32Array(count).fill(2),
    rewards: new Float32Array(count).fill(0.5),
    discounts: new Float32Array(count).fill(0.9),
    tdErrors: new Float32Array(count).fill(1),
    ...changes,
  }
}

/** An own memory of ten transitions (observations 1 to 10, errors as large) and what surrounds it. */
function memory({ rows = 40, share = 0.2, open = 0 } = {}) {
  const own = new PrioritisedReplay({ capacity: 64, observationSize: 2, bytes: false, alpha: 1 })
  for (let i = 1; i <= 10; i++) {
    const slot = own.push(Float32Array.of(i, i), 0)
    own.transition(slot, 0, 0.1 * i, 0.9, own.push(Float32Array.of(-i, -i), 0), i)
  }
  const batch = replayBatch(rows, 2)
  const random = seededRandom('foreign')
  const foreign = new ForeignReplay({ own, batch, format: FORMAT, alpha: 1, share, open })
  /** How many rows of the next batch hold each observation. */
  const draw = () => {
    foreign.sample(random, 0.4)
    const counts = new Map<number, number>()
    for (let i = 0; i < rows; i++) {
      const value = batch.observations[2 * i]!
      assert.equal(batch.nextObservations[2 * i + 1], -value)
      counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    return counts
  }
  return { own, batch, foreign, draw }
}

const foreignIn = (counts: ReadonlyMap<number, number>) => [...counts].filter(([value]) => value >= 100).sort(([a], [b]) => a - b)

test('at most a fifth of a batch is foreign, a twentieth of one author, and authors take turns', () => {
  assert.deepEqual([MAX_FOREIGN_SHARE, MAX_AUTHOR_SHARE], [0.2, 0.05])
  const { foreign, draw, own } = memory()
  assert.deepEqual(foreignIn(draw()), [])
  foreign.take('a', transitions(100, 8))
  // Of 40 rows two are one author's.
  assert.deepEqual(foreignIn(draw()), [[100, 2]])
  assert.equal(foreign.ownSlots.length, 38)
  for (const [i, author] of ['b', 'c', 'd', 'e', 'f'].entries()) foreign.take(author, transitions(101 + i, 8))
  const seen = new Map<number, number>()
  for (let i = 0; i < 3; i++) {
    const counts = foreignIn(draw())
    assert.deepEqual(
      counts.map(([, count]) => count),
      [2, 2, 2, 2],
    )
    for (const [value] of counts) seen.set(value, (seen.get(value) ?? 0) + 1)
  }
  // Twelve places for six authors.
  assert.deepEqual([...seen.values()], [2, 2, 2, 2, 2, 2])
  assert.equal(foreign.ownSlots.length, 32)
  assert.equal(own.size, 20)
})

test('a smaller share takes fewer rows, and an author with fewer transitions than rows waits', () => {
  const { foreign, draw } = memory({ rows: 100, share: 0.03 })
  foreign.take('a', transitions(100, 2))
  assert.deepEqual(foreignIn(draw()), [])
  foreign.take('a', transitions(100, 1))
  foreign.take('b', transitions(101, 8))
  // Three of 100, of one author at a time.
  assert.deepEqual([foreignIn(draw()), foreignIn(draw())], [[[100, 3]], [[101, 3]]])
})

test('new errors become the priorities of what was drawn, of each in its own memory', () => {
  const { foreign, draw, own, batch } = memory()
  foreign.take('a', transitions(100, 8))
  draw()
  const errors = Float32Array.from({ length: 40 }, (_, i) => (i < 38 ? 7 : 0))
  foreign.update(errors)
  for (const slot of batch.slots.subarray(0, 38)) assert.ok(Math.abs(own.tdError(slot) - 7) < 1e-6)
  // What was drawn of the author weighs next to nothing now: six others are left, and all are drawn sooner.
  const drawnAgain = new Set<number>()
  const before = [...batch.slots.subarray(38)]
  for (let i = 0; i < 10; i++) {
    draw()
    for (const slot of batch.slots.subarray(38)) drawnAgain.add(slot)
  }
  for (const slot of before) assert.ok(!drawnAgain.has(slot))
})

test('an author that claims huge errors gets no more than its places', () => {
  const { foreign, draw } = memory()
  foreign.take('a', transitions(100, 8))
  foreign.take('liar', transitions(101, 500, { tdErrors: new Float32Array(500).fill(3e38) }))
  assert.deepEqual(foreignIn(draw()), [
    [100, 2],
    [101, 2],
  ])
})

test('each author and all authors together are bounded', () => {
  const { foreign } = memory()
  const size = () => {
    const statistics: Record<string, number> = {}
    foreign.describe(statistics)
    return statistics['replay/foreign_size']
  }
  for (let i = 0; i < 3; i++) foreign.take('a', transitions(100, FOREIGN_TRANSITIONS / 2))
  assert.equal(size(), FOREIGN_TRANSITIONS)
  for (let i = 0; i < 2 * MAX_FOREIGN_AUTHORS; i++) foreign.take(`author ${i}`, transitions(100, 3))
  assert.equal(size(), 3 * MAX_FOREIGN_AUTHORS)
})

test('rewards a thousand times the largest own one are not believed, and nothing of that message is kept', () => {
  const { foreign, draw } = memory()
  // The largest own reward is 1.
  assert.equal(foreign.take('a', transitions(100, 8, { rewards: Float32Array.of(0, 0, 0, 0, 0, 0, 0, -1_001) })), false)
  assert.deepEqual(foreignIn(draw()), [])
  assert.equal(foreign.take('a', transitions(100, 8, { rewards: new Float32Array(8).fill(1_000) })), true)
})

test('what is offered is of highest priority, complete, and offered once', () => {
  const { foreign, own } = memory({ open: 4 })
  // Of 20 observations the last four, transitions 9 and 10, may be open yet.
  const offer = foreign.offer(3)!
  assert.deepEqual([...offer.observations], [8, 8, 7, 7, 6, 6])
  assert.deepEqual([...offer.nextObservations], [-8, -8, -7, -7, -6, -6])
  assert.deepEqual([...offer.tdErrors], [8, 7, 6])
  assert.deepEqual([...offer.actions], [0, 0, 0])
  assert.deepEqual([...offer.rewards], [0.8, 0.7, 0.6].map(Math.fround))
  assert.equal(foreign.offer(3), null)
  for (let i = 0; i < 4; i++) own.push(Float32Array.of(0, 0), 0)
  assert.deepEqual([...foreign.offer(3)!.tdErrors], [10, 9])
})

test('a share that is less than a row is a fault in words, and so is an algorithm that cannot', () => {
  assert.deepEqual(foreignRows(0.2, 64), { all: 12, ofOne: 3 })
  assert.deepEqual(foreignRows(0.05, 20), { all: 1, ofOne: 1 })
  assert.equal(sharingFault('apex', { batchSize: 20 }, 0.2), null)
  assert.equal(
    sharingFault('apex', { batchSize: 16 }, 0.2),
    'A share of 0.2 (--share-experience), of which one peer may have 0.05, is less than one row of a batch of 16; make batchSize (--set) larger.',
  )
  assert.match(
    sharingFault('apex', { batchSize: 64 }, 0.01)!,
    /less than one row of a batch of 64; make batchSize \(--set\) larger, or the share\./,
  )
  assert.equal(sharingFault('impala', {}, 0.2), null)
  assert.equal(
    sharingFault('ppo', {}, 0.1),
    'Experience is shared (--share-experience) with the algorithms apex and impala only; ppo learns from nothing but what its own policy just did.',
  )
})

function apexSettings(changes: Partial<LearnerSettings> = {}): LearnerSettings {
  const space = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) } as const
  const hyperparameters = { environments: 4, learningStarts: 40, replayCapacity: 500, batchSize: 20, targetPeriod: 10 }
  return toySettings(
    'Toy/Choice',
    {},
    {
      algorithm: { id: 'apex', hyperparameters, horizonSteps: 10_000 },
      network: duelingNetwork({ torso: [{ kind: 'dense', units: 8, activation: 'tanh' }], head: [] }, space, { kind: 'discrete', n: 3 }),
      ...changes,
    },
  )
}

test('Ape-X learns the same bit for bit while nothing foreign comes, and something else once it does', async () => {
  const [alone, waiting, taught] = await Promise.all(
    [{}, { experienceShare: 0.2 }, { experienceShare: 0.2 }].map((changes) => createLearner(apexSettings(changes))),
  )
  assert.deepEqual(alone!.description.experience, undefined)
  assert.deepEqual(waiting!.description.experience, FORMAT)
  assert.equal(alone!.offerExperience(9), null)
  assert.equal(alone!.takeExperience('a', transitions(0.5, 8)), false)
  assert.equal(taught!.takeExperience('a', transitions(0.5, 8)), true)
  for (const learner of [alone, waiting, taught]) update(learner!, 60)
  assert.deepEqual(parametersOf(waiting!), parametersOf(alone!))
  assert.notDeepEqual(parametersOf(taught!), parametersOf(alone!))
  assert.equal(taught!.progress(false, null).statistics['replay/foreign_share'], 0.05)
  assert.ok(waiting!.offerExperience(9)!.kind === 'transitions')
  for (const learner of [alone, waiting, taught]) learner!.dispose()
})

const SHAPE: ExperienceShape = { steps: 2, environments: 1, observationSize: 1, actionWidth: 1, discrete: true }

function rollout(value: number, reward = 0.5): SharedRollout {
  return {
    kind: 'rollout',
    observations: Float32Array.of(value, value),
    lastObservations: Float32Array.of(value),
    actions: Int32Array.of(1, 0),
    logProbs: Float32Array.of(-1, -2),
    rewards: Float32Array.of(0, reward),
    terminated: Uint8Array.of(0, 0),
    truncated: Uint8Array.of(1, 0),
    finalObservations: Float32Array.of(-value),
  }
}

test('of five updates one is made from a foreign rollout, of twenty one from the same author', () => {
  const foreign = new ForeignRollouts({ shape: SHAPE, actions: 3, share: 0.2, maxLag: 100 })
  const turns: (number | null)[] = []
  for (let i = 0; i < 60; i++) {
    // Both have new ones all the time.
    foreign.take('a', rollout(1))
    foreign.take('b', rollout(2))
    const next = foreign.next()
    foreign.updated()
    turns.push(next === null ? null : next.observations[0]!)
  }
  const at = (value: number) => turns.flatMap((turn, i) => (turn === value ? [i] : []))
  assert.deepEqual(at(1), [0, 20, 40])
  assert.deepEqual(at(2), [5, 25, 45])
})

test('of an author the newest rollout counts, and one that waited too long does not', () => {
  const foreign = new ForeignRollouts({ shape: SHAPE, actions: 3, share: 0.2, maxLag: 10 })
  foreign.take('a', rollout(1))
  foreign.take('a', rollout(2))
  const next = foreign.next()!
  assert.deepEqual([...next.observations], [2, 2])
  assert.deepEqual([...next.logProbs], [-1, -2])
  assert.equal(next.finalObservations[0], -2)
  foreign.take('b', rollout(3))
  for (let i = 0; i < 11; i++) foreign.updated()
  assert.equal(foreign.next(), null)
  const statistics: Record<string, number> = {}
  foreign.describe(statistics)
  assert.deepEqual(statistics, { 'train/foreign_rollouts': 1, 'train/foreign_dropped': 1 })
  assert.equal(foreign.take('c', rollout(1, 1_001)), false)
  assert.equal(foreign.take('c', transitions(1, 1)), false)
})

test('the newest own rollout is offered, once', () => {
  const foreign = new ForeignRollouts({ shape: SHAPE, actions: 3, share: 0.2, maxLag: 10 })
  assert.equal(foreign.offer(), null)
  for (const value of [3, 4]) {
    const own = new Experience(SHAPE)
    const { kind: _, ...arrays } = rollout(value)
    for (const [name, array] of Object.entries(arrays)) (Reflect.get(own, name) as Float32Array).set(array)
    foreign.saw(own)
  }
  assert.deepEqual(foreign.offer(), rollout(4))
  assert.equal(foreign.offer(), null)
})

for (const toy of ['Toy/Choice', 'Toy/Target']) {
  test(`IMPALA in ${toy}: two learners teach each other, and at most a fifth of their updates is foreign`, async () => {
    const settings = (actorSeed: number) => algorithmSettings('impala', toy, { rolloutLength: 4 }, { experienceShare: 0.2, actorSeed })
    const [one, two] = [await createLearner(settings(1)), await createLearner(settings(2))]
    for (let i = 0; i < 100; i++) {
      update(one, 1)
      update(two, 1)
      assert.ok(one.takeExperience('two', two.offerExperience(1)!))
      assert.ok(two.takeExperience('one', one.offerExperience(1)!))
    }
    // One author: of twenty updates one. A hundred own ones have five foreign ones among them.
    for (const learner of [one, two]) {
      const { statistics } = learner.progress(false, null)
      assert.equal(statistics['train/foreign_rollouts'], 6)
      assert.equal(learner.updates, 106)
      assert.equal(learner.steps, 100 * 16)
      assert.equal(statistics['train/skipped_updates'], 0)
      learner.dispose()
    }
  })
}

test('under normalising wrappers nothing can be shared', async () => {
  const settings = algorithmSettings(
    'impala',
    'Toy/Choice',
    {},
    { experienceShare: 0.2, wrappers: [{ id: 'normaliseObservations', options: {} }] },
  )
  await assert.rejects(createLearner(settings), {
    code: 'experience',
    message:
      'Experience cannot be shared under normalising wrappers, because each peer scales observations by what it saw itself; leave --share-experience out, or use a preset without them.',
  })
})
