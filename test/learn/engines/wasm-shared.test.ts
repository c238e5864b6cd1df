/** Arenas shared between threads by address; and what of the wasm engine the contract suite cannot see. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { networks, someParameters, someValues } from '../../support/networks.ts'

const spec = networks['MLP 4-64-64']!

test('a thread that built the same network on the same memory sees the same arena', async () => {
  const engine = createWasmEngine({ deterministic: true })
  const network = engine.build(spec, 8)
  const arena = network.allocate()
  network.write(arena, someParameters(spec, 1))
  const observations = someValues(8 * 4, -1, 1, 2)
  network.forward(arena, observations, 8)
  const expected = network.output('value').slice()

  const code = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { createWasmEngine } from ${JSON.stringify(import.meta.resolve('../../../src/learn/engines/wasm.ts'))}
    const { memory, address, spec, observations } = workerData
    const network = createWasmEngine({ deterministic: true, memory }).build(spec, 8)
    const arena = network.attach(address)
    network.forward(arena, observations, 8)
    parentPort.postMessage(network.output('value').slice())
    arena.data.fill(0)`
  const workerData = { memory: engine.memory, address: network.address(arena), spec, observations }
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData })
  const found = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await new Promise((resolve) => worker.once('exit', resolve))
  assert.deepEqual(found, expected)
  assert.ok(arena.data.every((value) => value === 0))
})

test('observations that lie in the memory are not copied', () => {
  const engine = createWasmEngine({ deterministic: true })
  const network = engine.build(spec, 2)
  const arena = network.allocate()
  network.write(arena, someParameters(spec, 1))
  const inside = network.allocate().data.subarray(8, 16)
  const outside = someValues(8, -1, 1, 3)
  inside.set(outside)
  network.forward(arena, outside, 2)
  const expected = network.output('logits').slice()
  network.forward(arena, inside, 2)
  assert.deepEqual(network.output('logits'), expected)
})

test('a network takes no more memory than its spec asks for, and disposed ones give theirs back', () => {
  const engine = createWasmEngine({ deterministic: true })
  const bytes = () => engine.memory.buffer.byteLength
  engine.build(spec, 8).dispose()
  assert.ok(bytes() < 2_000_000, `${bytes()} bytes`)
  const before = bytes()
  for (let i = 0; i < 100; i++) {
    const network = engine.build(spec, 8)
    network.allocate()
    network.dispose()
  }
  assert.ok(bytes() <= before + 1_048_576)
})

test('arenas of other engines and networks are refused', () => {
  const engine = createWasmEngine({ deterministic: true })
  const network = engine.build(spec, 1)
  const other = engine.build(networks['no hidden layer']!, 1)
  const foreign = { data: new Float32Array(network.allocate().data.length) }
  for (const arena of [other.allocate(), foreign]) {
    assert.throws(() => network.forward(arena, new Float32Array(4), 1), { code: 'shape' })
    assert.throws(() => network.address(arena), {
      code: 'shape',
      message: 'This arena is of another engine or network; use one that this network allocated or attached.',
    })
  }
})

test('a backward pass of another batch than the forward pass is refused', () => {
  const network = createWasmEngine({ deterministic: true }).build(spec, 4)
  const [parameters, gradient] = [network.allocate(), network.allocate()]
  assert.throws(() => network.backward(parameters, new Float32Array(8), 2, gradient), { code: 'shape' })
  network.forward(parameters, new Float32Array(8), 2)
  assert.throws(() => network.backward(parameters, new Float32Array(12), 3, gradient), {
    code: 'shape',
    message: 'The backward pass was asked for 3 rows, but the last forward pass had 2; use the same batch.',
  })
})
