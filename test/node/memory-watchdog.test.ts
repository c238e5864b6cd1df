import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MEMORY_CHECK_MS } from '../../src/node/limits.ts'
import { defaultMemoryLimit, watchMemory } from '../../src/node/memory-watchdog.ts'

test('two looks in a row over the limit call once; a peak or the limit itself does not', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const seen: number[] = []
  let used = 100
  const stop = watchMemory(
    100,
    (bytes) => seen.push(bytes),
    () => used,
  )
  const look = (bytes: number) => {
    used = bytes
    context.mock.timers.tick(MEMORY_CHECK_MS)
  }
  for (const bytes of [100, 100, 101, 100, 101]) look(bytes)
  assert.deepEqual(seen, [])
  look(102)
  assert.deepEqual(seen, [102])
  look(103)
  look(104)
  assert.deepEqual(seen, [102])
  stop()
})

test('without being told a process may have most of the machine, not all', () => {
  assert.ok(defaultMemoryLimit() > 100_000_000)
})
