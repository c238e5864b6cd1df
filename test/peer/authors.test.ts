/** What a peer remembers of others is bounded: at each limit everything is kept, one more pushes the oldest out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Authors } from '../../src/peer/authors.ts'
import { MAX_FRAME_AGE_MS, MAX_PENDING_FRAMES } from '../../src/peer/limits.ts'

const frame = (receivedAtMs: number) => ({
  parameters: new Float32Array(1),
  moments: null,
  normalisers: [],
  version: 1,
  epoch: 1,
  bytes: 4,
  receivedAtMs,
})

test('so many frames wait to be mixed; one more pushes the oldest out and is counted', () => {
  const authors = new Authors()
  for (let i = 0; i < MAX_PENDING_FRAMES; i++) authors.hold(authors.hear(`${i}`, i), frame(i))
  assert.equal(authors.dropped, 0)
  // A newer one of the same author takes the older one's place.
  authors.hold(authors.hear('5', 100), frame(100))
  assert.equal(authors.dropped, 0)
  authors.hold(authors.hear('one more', 101), frame(101))
  assert.equal(authors.dropped, 1)
  assert.equal(authors.get('0')?.pending, null)
  assert.equal(authors.takePending(101, MAX_FRAME_AGE_MS).length, MAX_PENDING_FRAMES)
})

test('a frame of a minute is mixed, an older one is not', () => {
  const authors = new Authors()
  authors.hold(authors.hear('young', 0), frame(1))
  authors.hold(authors.hear('old', 0), frame(0))
  assert.deepEqual(
    authors.takePending(MAX_FRAME_AGE_MS + 1, MAX_FRAME_AGE_MS).map(({ author }) => author.id),
    ['young'],
  )
  assert.equal(authors.dropped, 1)
})
