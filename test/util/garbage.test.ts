/** Collections on demand: one for every so many bytes, of the young generation or of everything, in the next turn. */
import assert from 'node:assert/strict'
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Garbage } from '../../src/util/garbage.ts'

type Collection = PerformanceEntry & { readonly detail: { readonly kind: number; readonly flags: number } }

test('garbage is collected once for every so many bytes', async () => {
  const seen: Collection[] = []
  const observer = new PerformanceObserver((list) => seen.push(...(list.getEntries() as Collection[])))
  observer.observe({ entryTypes: ['gc'] })
  const forced = async () => {
    // The observer is told a turn after the collection.
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    return seen.filter(({ detail }) => (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0).map(({ detail }) => detail.kind)
  }
  const minor = constants.NODE_PERFORMANCE_GC_MINOR
  const garbage = new Garbage(1_000)
  garbage.add(999)
  assert.deepEqual(await forced(), [])
  garbage.add(1)
  garbage.add(5_000)
  assert.deepEqual(await forced(), [minor])
  garbage.add(999)
  assert.deepEqual(await forced(), [minor])
  garbage.add(1)
  assert.deepEqual(await forced(), [minor, minor])
  new Garbage(10, { all: true }).add(10)
  assert.deepEqual(await forced(), [minor, minor, constants.NODE_PERFORMANCE_GC_MAJOR])
  observer.disconnect()
})
