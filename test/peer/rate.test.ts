import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RATE_MEMORY_ROUNDS } from '../../src/peer/limits.ts'
import { Rate } from '../../src/peer/rate.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const rule = { rule: 'sqrt', from: 1, cap: 4 } as const

function fixture() {
  const told: number[] = []
  const gone = new Set<string>()
  const swarm = { together: true }
  let rounds = 0
  const rate = new Rate({
    rule,
    learner: {
      async setRateFactor(factor) {
        told.push(factor)
      },
    },
    rounds: () => rounds,
    isThere: (author) => !gone.has(author),
    together: () => swarm.together,
  })
  const round = (authors: readonly string[]) => {
    rounds++
    return rate.mixed(authors)
  }
  return { told, gone, swarm, rate, round }
}

test('counts whom it mixed in the last rounds, each once, and tells the learner of changes only', async () => {
  const { told, rate, round } = fixture()
  for (let i = 0; i < 20; i++) await round(['a', 'b', 'c'])
  assert.equal(rate.factor, 2)
  assert.equal(told.length, 4)
  // One partner after another counts as all of them.
  for (let i = 0; i < 20; i++) await round([['a', 'b', 'c'][i % 3]!])
  assert.equal(rate.factor, 2)
  assert.equal(told.length, 4)
  for (let i = 0; i < RATE_MEMORY_ROUNDS + 3; i++) await round(['a'])
  assert.equal(rate.factor, Math.SQRT2)
})

test('who has left, fallen silent or been muted counts no more, at once', async () => {
  const { gone, rate, round } = fixture()
  for (let i = 0; i < 20; i++) await round(['a', 'b', 'c'])
  gone.add('a').add('b').add('c')
  await round([])
  assert.equal(rate.factor, 1)
})

test('replicas that drift apart are no swarm', async () => {
  const { swarm, rate, round } = fixture()
  for (let i = 0; i < 20; i++) await round(['a', 'b', 'c'])
  swarm.together = false
  await round(['a', 'b', 'c'])
  assert.equal(rate.factor, 1)
  swarm.together = true
  for (let i = 0; i < 4; i++) await round(['a', 'b', 'c'])
  assert.equal(rate.factor, 2)
})

test('the learning rate of a simulated swarm rises with its peers, of a peer alone it does not', async () => {
  const rates = async (nodes: number, set: readonly string[]) => {
    let rate = 0
    const settings = resolveSimulation({ nodes, rounds: 12, period: 1, seed: 1, set })
    await runSimulation(settings, {
      between: {
        updates: () => 1,
        look: ([first]) => {
          rate = first!.core!.progress(false, null).statistics['train/learning_rate']!
        },
      },
    })
    return rate
  }
  const constant = ['learningRate=0.004', 'finalLearningRate=0.004']
  assert.equal(await rates(4, [...constant, 'rateRule=sqrt', 'rateFrom=1', 'rateCap=3']), 0.008)
  assert.equal(await rates(4, [...constant, 'rateRule=none']), 0.004)
  assert.equal(await rates(1, [...constant, 'rateRule=sqrt']), 0.004)
})
