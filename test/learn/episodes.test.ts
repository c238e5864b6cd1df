import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Episodes } from '../../src/learn/episodes.ts'

const none = Uint8Array.of(0, 0)

test('returns and lengths per environment; both endings finish an episode', () => {
  const episodes = new Episodes(2, null)
  assert.equal(episodes.returnMean, null)
  episodes.record(Float32Array.of(1, 10), none, none)
  episodes.record(Float32Array.of(2, 20), Uint8Array.of(1, 0), none)
  assert.deepEqual([episodes.finished, episodes.returnMean, episodes.lengthMean], [1, 3, 2])
  episodes.record(Float32Array.of(5, 30), none, Uint8Array.of(0, 1))
  assert.deepEqual([episodes.finished, episodes.returnMean, episodes.lengthMean, episodes.steps], [2, (3 + 60) / 2, 2.5, 6])
})

test('only the last hundred count', () => {
  const episodes = new Episodes(1, null)
  for (let i = 0; i < 150; i++) episodes.record(Float32Array.of(i), Uint8Array.of(1), Uint8Array.of(0))
  // 50 to 149
  assert.equal(episodes.returnMean, 99.5)
})

test('solved needs a full window and is remembered as it first was', () => {
  const episodes = new Episodes(1, 475)
  const finish = (reward: number) => episodes.record(Float32Array.of(reward), Uint8Array.of(1), Uint8Array.of(0))
  for (let i = 0; i < 99; i++) finish(475)
  assert.equal(episodes.solved, null)
  finish(475)
  assert.deepEqual(episodes.solved, { steps: 100, returnMean: 475 })
  finish(0)
  finish(500)
  assert.deepEqual(episodes.solved, { steps: 100, returnMean: 475 })
})

test('only counted rows enter means and solving, all are counted as finished', () => {
  const episodes = new Episodes(2, 10, Uint8Array.of(0, 1))
  episodes.record(Float32Array.of(99, 5), Uint8Array.of(1, 0), none)
  assert.deepEqual([episodes.finished, episodes.returnMean, episodes.lengthMean], [1, null, null])
  episodes.record(Float32Array.of(99, 6), Uint8Array.of(1, 1), none)
  assert.deepEqual([episodes.finished, episodes.returnMean, episodes.lengthMean], [3, 11, 2])
  for (let i = 0; i < 98; i++) episodes.record(Float32Array.of(0, 11), Uint8Array.of(1, 1), none)
  assert.equal(episodes.solved, null)
  episodes.record(Float32Array.of(0, 11), Uint8Array.of(1, 1), none)
  assert.deepEqual(episodes.solved, { steps: 2 * 101, returnMean: 11 })
})
