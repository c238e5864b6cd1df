import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BLOCK_ALIGNMENT, RESERVED_BYTES } from '../../src/kernels/limits.ts'
import { createMemory, Heap } from '../../src/kernels/memory.ts'

test('blocks are aligned, apart, and zero', () => {
  const heap = new Heap(createMemory())
  const addresses = [1, 64, 65, 1000, 0].map((bytes) => heap.allocate(bytes))
  for (const [i, address] of addresses.entries()) {
    assert.equal(address % BLOCK_ALIGNMENT, 0)
    assert.ok(address >= (i === 0 ? RESERVED_BYTES : addresses[i - 1]! + [1, 64, 65, 1000][i - 1]! + 1))
  }
  assert.ok(heap.floats(addresses[3]!, 250).every((value) => value === 0))
})

test('the memory grows with need, and views from before stay valid', () => {
  const memory = createMemory()
  const heap = new Heap(memory)
  assert.equal(memory.buffer.byteLength, 65_536)
  const address = heap.allocate(400)
  const early = heap.floats(address, 100)
  heap.allocate(3_000_000)
  assert.ok(memory.buffer.byteLength >= 3_000_000 && memory.buffer.byteLength < 6_000_000)
  early[7] = 5
  assert.equal(heap.floats(address, 100)[7], 5)
})

test('a freed block comes back zeroed, for its own size only', () => {
  const heap = new Heap(createMemory())
  const address = heap.allocate(200)
  heap.floats(address, 50).fill(1)
  heap.free(address)
  heap.free(address)
  assert.notEqual(heap.allocate(1000), address)
  assert.equal(heap.allocate(200), address)
  assert.ok(heap.floats(address, 50).every((value) => value === 0))
  assert.notEqual(heap.allocate(200), address)
})

test('two heaps on one memory, as in two threads, never hand out the same place', () => {
  const memory = createMemory()
  const heaps = [new Heap(memory), new Heap(memory)]
  const seen = new Set<number>()
  for (let i = 0; i < 100; i++) {
    const address = heaps[i % 2]!.allocate(100)
    assert.ok(!seen.has(address))
    seen.add(address)
  }
})

test('what 32-bit addresses cannot hold is refused in one sentence', () => {
  const heap = new Heap(createMemory())
  assert.throws(() => heap.allocate(5 * 2 ** 30), { name: 'GrapevineError', code: 'out_of_memory', message: /smaller network or batch/ })
})
