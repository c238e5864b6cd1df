import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateBuffers } from '../../src/envs/buffers.ts'
import { DeepSeaRows } from '../../src/envs/deep-sea/deep-sea.ts'
import { makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'

/** One episode of `moves` (true: right); rewards, and the cell seen after each step (-1: none). */
function play(moves: readonly boolean[], options: { readonly size: number; readonly mapping: number }) {
  const env = makeEnv('DeepSea-v0', options)
  const right = new DeepSeaRows(1, options).rightActions
  const cells = [env.reset().observation.indexOf(1)]
  const rewards: number[] = []
  let over = false
  for (const move of moves) {
    assert.ok(!over)
    const action = right[cells.at(-1)!]! === 1 ? Number(move) : Number(!move)
    const { observation, reward, terminated, truncated } = env.step(action)
    assert.equal(
      observation.reduce((sum, value) => sum + value, 0),
      terminated ? 0 : 1,
    )
    assert.ok(!truncated)
    rewards.push(reward)
    cells.push(observation.indexOf(1))
    over = terminated
  }
  assert.ok(over)
  return { rewards, cells }
}

test('only who goes right in every step finds the treasure', () => {
  // Cells of a sea of 4 are numbered row by row: right all the way is the diagonal 0, 5, 10, 15.
  const { rewards, cells } = play([true, true, true, true], { size: 4, mapping: 3 })
  assert.deepEqual(cells, [0, 5, 10, 15, -1])
  assert.deepEqual(rewards, [-0.0025, -0.0025, -0.0025, 1 - 0.0025])
})

test('one step to the left and all that is left of the way right is for nothing', () => {
  const { rewards, cells } = play([true, false, true, true], { size: 4, mapping: 3 })
  // Row 1 column 1, back to row 2 column 0, row 3 column 1, and out.
  assert.deepEqual(cells, [0, 5, 8, 13, -1])
  assert.deepEqual(rewards, [-0.0025, 0, -0.0025, -0.0025])
})

test('the left wall stops, and going left costs nothing', () => {
  const { rewards, cells } = play([false, false, true], { size: 3, mapping: 0 })
  assert.deepEqual(cells, [0, 3, 6, -1])
  assert.deepEqual(rewards, [0, 0, -0.01 / 3])
})

test('what an action means depends on the cell and on the mapping, and on nothing else', () => {
  const of = (mapping: number) => [...new DeepSeaRows(1, { size: 10, mapping }).rightActions]
  assert.deepEqual(of(1), of(1))
  assert.notDeepEqual(of(1), of(2))
  // Of 100 fair coins between 30 and 70 show heads but once in 20,000 mappings.
  const ones = of(1).reduce((sum, value) => sum + value, 0)
  assert.ok(ones > 30 && ones < 70, String(ones))
})

test('a random policy finds the treasure of a sea of 4 once in 16 episodes', () => {
  const count = 1_000
  const env = makeVectorEnv('DeepSea-v0', count, { size: 4 })
  const out = allocateBuffers(env)
  env.reset(0, out.observations)
  let found = 0
  let word = 1
  for (let step = 0; step < 4 * 16; step++) {
    const actions = Int32Array.from({ length: count }, () => {
      word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0
      return word >>> 31
    })
    env.step(actions, out)
    for (const reward of out.rewards) if (reward > 0.5) found++
  }
  // 16,000 episodes: 1,000 with a standard deviation of 31.
  assert.ok(Math.abs(found - 1_000) < 4 * 31, String(found))
})

test('options that are none are refused in words', () => {
  for (const size of [1, 2.5, 101]) {
    assert.throws(() => makeEnv('DeepSea-v0', { size }), {
      code: 'option',
      message: `Option "size" of DeepSea-v0 must be a whole number from 2 to 100, but it is ${size}.`,
    })
  }
  assert.throws(() => makeEnv('DeepSea-v0', { depth: 3 }), { code: 'option' })
})
