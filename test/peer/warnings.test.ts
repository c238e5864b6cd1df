/** What a person reads of drifting replicas, peers that are muted, memory that runs out, and kernels that fall back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import type { Author } from '../../src/peer/authors.ts'
import { warnOfEngine } from '../../src/peer/engine-warning.ts'
import { outOfMemory } from '../../src/peer/leaving.ts'
import type { Run } from '../../src/peer/run.ts'
import { farApart, muted } from '../../src/peer/warnings.ts'

test('replicas far apart', () => {
  assert.deepEqual(farApart(0.456), {
    event: 'warning',
    code: 'far_apart',
    message:
      "The swarm's replicas are 0.46 of their size apart, farther than learning is known to bear: averaging more often (--period, or --period auto) would help.",
  })
})

test('a peer that is not listened to, with the causes', () => {
  const author = {
    id: '12D3KooWx',
    refusals: new Map([
      ['digest', 3],
      ['too_large', 1],
    ]),
    trust: { score: 0.125 },
  } as unknown as Author
  assert.deepEqual(muted(author), {
    event: 'warning',
    code: 'muted',
    message: 'Peer 12D3KooWx is not listened to for a while: too much of what it sent was refused (digest 3, too_large 1; trust 0.13).',
  })
})

test('more memory than --max-memory allows', () => {
  const { code, message, data } = outOfMemory(1_610_612_736, 1_073_741_824)
  assert.equal(code, 'out_of_memory')
  assert.equal(message, 'This peer has 1.50 GiB of memory, more than the 1.00 GiB it may have (--max-memory), and leaves; start it again.')
  assert.deepEqual(data, { usedBytes: 1_610_612_736, limitBytes: 1_073_741_824 })
})

test('the kernels that are used where a machine lacks the others, unless they were asked for', () => {
  const told = (engine: string, deterministic: boolean) => {
    const events: PeerEvent[] = []
    warnOfEngine({ learner: { describe: () => ({ engine }) } } as unknown as Run, deterministic, (event) => events.push(event))
    return events
  }
  const message =
    'This machine has no relaxed SIMD for WebAssembly, so the deterministic kernels are used: results are right, updates may be slower.'
  assert.deepEqual(told('wasm deterministic', false), [{ event: 'warning', code: 'engine_fallback', message }])
  assert.deepEqual([...told('wasm deterministic', true), ...told('wasm relaxed', false)], [])
})
