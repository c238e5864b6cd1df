import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../src/node/random.ts'

test('words and uniforms are in range and do not repeat over several blocks', () => {
  const words = Array.from({ length: 2_000 }, () => systemRandom.uint32())
  assert.ok(words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32))
  // Two of 2,000 words agree with probability 0.05 %; ten agree never.
  assert.ok(new Set(words).size > 1_990)
  const uniforms = Array.from({ length: 2_000 }, () => systemRandom.uniform())
  assert.ok(uniforms.every((value) => value >= 0 && value < 1))
  const mean = uniforms.reduce((sum, value) => sum + value, 0) / uniforms.length
  // The standard error of the mean is 0.0065; ten of them.
  assert.ok(Math.abs(mean - 0.5) < 0.065, `mean ${mean}`)
})
