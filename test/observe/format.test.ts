import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compact, count, distance, duration, harmless, mean, plural, shortId } from '../../src/observe/format.ts'

test('counts', () => {
  assert.deepEqual([0, 999, 143_000, 1_234_567.6, null].map(count), ['0', '999', '143,000', '1,234,568', '-'])
  assert.deepEqual([0, 999.4, 999.6, 1000, 35_214, 999_600, 1.5e6, 2.25e9, null].map(compact), [
    '0',
    '999',
    '1.00k',
    '1.00k',
    '35.2k',
    '1.00M',
    '1.50M',
    '2.25G',
    '-',
  ])
  assert.deepEqual(
    [0, 1, 2].map((amount) => plural(amount, 'peer')),
    ['0 peers', '1 peer', '2 peers'],
  )
})

test('means, distances, durations', () => {
  assert.deepEqual([476.24, -0.06, 500, null].map(mean), ['476.2', '-0.1', '500.0', '-'])
  assert.deepEqual([0, 0.5, 0.01234, 0.000456, null].map(distance), ['0', '0.5', '0.012', '4.6e-4', '-'])
  assert.deepEqual([0, 4.13, 59.94, 59.96, 125, 3599.6, 11_520].map(duration), [
    '0.0 s',
    '4.1 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 5 s',
    '1 h 0 min',
    '3 h 12 min',
  ])
})

test('names', () => {
  assert.equal(shortId('12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'), '..eQAJU5SA')
  assert.equal(harmless('swarm\r\n\u001b[2Jname'), 'swarm [2Jname')
})
