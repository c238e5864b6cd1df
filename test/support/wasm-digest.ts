/**
 * Prints one JSON object: the builds that the engine chose and a SHA-256 over every bit of some training on the deterministic kernels, and on those named
 * by the first argument. Run by other tests in other versions of Node and with other flags.
 */
import { createHash } from 'node:crypto'
import { createWasmEngine } from '../../src/learn/engines/wasm.ts'
import { networks, someParameters, someValues } from './networks.ts'

const STEPS = 5
const BATCHES = [1, 6, 40, 131]

const engine = createWasmEngine({ deterministic: true })
const hash = createHash('sha256')
for (const [title, spec] of Object.entries(networks)) {
  for (const batch of BATCHES) {
    const network = engine.build(spec, batch)
    const parameters = network.allocate()
    const gradient = network.allocate()
    network.write(parameters, someParameters(spec, 1))
    const size = spec.input.reduce((product, length) => product * length, 1)
    const observations = someValues(batch * size, -2, 2, title.length)
    const adam = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-5 })
    const rmsprop = network.createOptimiser({ kind: 'rmsprop', decay: 0.99, epsilon: 1e-5, epsilonInside: true })
    for (let step = 0; step < STEPS; step++) {
      network.forward(parameters, observations, batch)
      for (const { name } of network.outputs) {
        const output = network.output(name)
        hash.update(new Float32Array(output))
        network.outputGradient(name).set(output)
      }
      network.backward(parameters, observations, batch, gradient)
      network.step(step % 2 === 0 ? adam : rmsprop, parameters, gradient, 1e-3, 0.5)
    }
    const canonical = new Float32Array(network.parameterCount)
    for (const arena of [parameters, gradient, ...adam.moments, ...rmsprop.moments]) {
      network.read(arena, canonical)
      hash.update(canonical)
    }
    network.dispose()
  }
}
process.stdout.write(JSON.stringify({ kernels: engine.kernels, digest: hash.digest('hex') }))
