/** What every engine promises (src/learn/engine.ts), against a float64 reference and finite differences. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Engine, EngineNetwork, OptimiserSpec } from '../../src/learn/engine.ts'
import { layout } from '../../src/learn/layout.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import { atari, networks, someParameters, someValues } from '../support/networks.ts'
import { referencePass } from '../support/reference-network.ts'
import { ReferenceOptimiser } from '../support/reference-optimiser.ts'

const TOLERANCE = 1e-5
const TRAJECTORY_TOLERANCE = 1e-4
const BATCHES = [1, 3, 17, 257]

const optimisers: Readonly<Record<string, { spec: OptimiserSpec; learningRate: number; maxNorm: number | null }>> = {
  'SGD with momentum': { spec: { kind: 'sgd', momentum: 0.9 }, learningRate: 0.01, maxNorm: 1 },
  'plain SGD, never clipped': { spec: { kind: 'sgd', momentum: 0 }, learningRate: 0.05, maxNorm: null },
  'RMSprop, epsilon inside': {
    spec: { kind: 'rmsprop', decay: 0.99, epsilon: 1e-3, epsilonInside: true },
    learningRate: 7e-4,
    maxNorm: 0.5,
  },
  'RMSprop, epsilon outside': {
    spec: { kind: 'rmsprop', decay: 0.9, epsilon: 1e-5, epsilonInside: false },
    learningRate: 7e-4,
    maxNorm: null,
  },
  Adam: { spec: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-5 }, learningRate: 1e-3, maxNorm: 0.5 },
  AdamW: { spec: { kind: 'adamw', beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 }, learningRate: 1e-3, maxNorm: 10 },
}

export function engineContract(name: string, create: () => Promise<Engine>): void {
  describe(name, () => {
    let engine: Engine
    before(async () => {
      engine = await create()
    })

    test('is named', () => assert.equal(engine.name, name))

    for (const [title, spec] of [...Object.entries(networks), ['Atari convolutions', atari] as const]) {
      for (const batch of spec === atari ? [1, 3] : BATCHES) {
        test(`${title}, ${batch} rows: outputs and gradients of the reference`, () => {
          const network = engine.build(spec, batch)
          const job = prepare(spec, network, batch)
          const reference = referencePass(spec, job.parameters, job.observations, batch)
          network.forward(job.arena, job.observations, batch)
          for (const { name } of network.outputs) close(network.output(name), reference.outputs.get(name)!, TOLERANCE, name)
          const expected = reference.backward(job.outputGradients)
          const gradient = backward(network, job, batch)
          for (const { name, offset, length } of network.slices) {
            const part = [offset, offset + length] as const
            close(gradient.subarray(...part), expected.subarray(...part), TOLERANCE, name)
          }
          network.dispose()
        })
      }
    }

    for (const title of ['MLP 4-64-64', 'layer norms', 'convolutions with stride 2, a rest and norms'] as const) {
      test(`${title}: the gradient agrees with finite differences of the engine's own outputs`, () => {
        const spec = networks[title]!
        const network = engine.build(spec, 5)
        const job = prepare(spec, network, 5)
        network.forward(job.arena, job.observations, 5)
        const gradient = backward(network, job, 5)
        const direction = someValues(network.parameterCount, -1, 1, 11)
        const h = 2e-3
        const lossAt = (distance: number) => {
          network.write(
            job.arena,
            job.parameters.map((value, i) => value + distance * direction[i]!),
          )
          network.forward(job.arena, job.observations, 5)
          return network.outputs.reduce((loss, { name }) => loss + dot(network.output(name), job.outputGradients.get(name)!), 0)
        }
        const slope = (lossAt(h) - lossAt(-h)) / (2 * h)
        const expected = dot(gradient, direction)
        assert.ok(Math.abs(slope - expected) <= 5e-3 * Math.abs(expected), `${slope} by differences, ${expected} by the gradient`)
        network.dispose()
      })
    }

    for (const [title, { spec: optimiser, learningRate, maxNorm }] of Object.entries(optimisers)) {
      test(`${title}: 100 steps of training stay with the reference`, () => {
        const spec = networks['shared, then separate']!
        const batch = 9
        const network = engine.build(spec, batch)
        const job = prepare(spec, network, batch)
        const targets = new Map(network.outputs.map(({ name, size }) => [name, someValues(batch * size, -1, 1, size)]))
        /** Gradient of the mean over rows of half the squared error. */
        const errors = (name: string, output: ArrayLike<number>) => targets.get(name)!.map((target, i) => (output[i]! - target) / batch)

        const state = network.createOptimiser(optimiser)
        const gradient = network.allocate()
        const parameters = Float64Array.from(job.parameters)
        const reference = new ReferenceOptimiser(optimiser, parameters.length)
        for (let step = 0; step < 100; step++) {
          network.forward(job.arena, job.observations, batch)
          for (const { name } of network.outputs) network.outputGradient(name).set(errors(name, network.output(name)))
          network.backward(job.arena, job.observations, batch, gradient)
          const norm = network.step(state, job.arena, gradient, learningRate, maxNorm)

          const pass = referencePass(spec, parameters, job.observations, batch)
          const exact = pass.backward(new Map(network.outputs.map(({ name }) => [name, errors(name, pass.outputs.get(name)!)])))
          close([norm], [reference.step(parameters, exact, learningRate, maxNorm)], TRAJECTORY_TOLERANCE, `norm at step ${step}`)
        }
        assert.equal(state.count, 100)
        const reached = new Float32Array(network.parameterCount)
        network.read(job.arena, reached)
        close(reached, parameters, TRAJECTORY_TOLERANCE, 'parameters')
        network.dispose()
      })
    }

    test('a step clips the gradient to the norm and returns what it was', () => {
      const network = engine.build(networks['no hidden layer']!, 1)
      const parameters = network.allocate()
      const gradient = network.allocate()
      const canonical = new Float32Array(network.parameterCount)
      canonical.set([3, 0, 4])
      network.write(gradient, canonical)
      const state = network.createOptimiser({ kind: 'sgd', momentum: 0 })
      close([network.step(state, parameters, gradient, 1, 0.5)], [5], 1e-6, 'norm')
      network.read(parameters, canonical)
      close(canonical.subarray(0, 4), [-0.3, 0, -0.4, 0], 1e-6, 'parameters')
      network.dispose()
    })

    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -3e38]) {
      test(`a gradient with ${bad} in it changes nothing`, () => {
        const network = engine.build(networks['no hidden layer']!, 1)
        const before = someParameters(network.spec, 3)
        const parameters = network.allocate()
        network.write(parameters, before)
        const gradient = network.allocate()
        const canonical = new Float32Array(network.parameterCount).fill(0.1)
        canonical[7] = bad
        network.write(gradient, canonical)
        const state = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 })
        const norm = network.step(state, parameters, gradient, 0.1, 1)
        const after = new Float32Array(network.parameterCount)
        network.read(parameters, after)
        // The square of -3e38 passes float32: an engine may find the norm finite or not, but must not step to NaN.
        if (Number.isFinite(bad) && Number.isFinite(norm)) assert.ok(after.every(Number.isFinite))
        else {
          assert.ok(!Number.isFinite(norm))
          assert.deepEqual(after, before)
          assert.equal(state.count, 0)
          for (const moment of state.moments) assert.ok(moment.data.every((value) => value === 0))
        }
        network.dispose()
      })
    }

    test('arenas are read, written and added to in canonical order', () => {
      for (const spec of Object.values(networks)) {
        const network = engine.build(spec, 1)
        assert.deepEqual(network.slices, layout(spec).slices)
        assert.equal(network.parameterCount, layout(spec).parameterCount)
        assert.deepEqual(network.outputs, layout(spec).outputs)
        const arena = network.allocate()
        const read = new Float32Array(network.parameterCount).fill(9)
        network.read(arena, read)
        assert.ok(read.every((value) => value === 0))
        const values = Float32Array.from({ length: network.parameterCount }, (_, i) => i + 0.5)
        network.write(arena, values)
        network.read(arena, read)
        assert.deepEqual(read, values)
        network.add(arena, values)
        network.read(arena, read)
        assert.deepEqual(
          read,
          values.map((value) => 2 * value),
        )
        network.dispose()
      }
    })

    test('batches of different size follow each other, and networks do not disturb each other', () => {
      const spec = networks['MinAtar convolution']!
      const network = engine.build(spec, 17)
      const other = engine.build(spec, 4)
      const otherJob = prepare(spec, other, 4, 99)
      for (const batch of [17, 1, 16, 3]) {
        const job = prepare(spec, network, batch)
        const reference = referencePass(spec, job.parameters, job.observations, batch)
        network.forward(job.arena, job.observations, batch)
        other.forward(otherJob.arena, otherJob.observations, 4)
        assert.equal(network.output('logits').length, batch * 6)
        assert.equal(network.outputGradient('value').length, batch)
        close(network.output('logits'), reference.outputs.get('logits')!, TOLERANCE, 'logits')
        close(backward(network, job, batch), reference.backward(job.outputGradients), TOLERANCE, 'gradient')
      }
      network.dispose()
      other.dispose()
    })

    test('the same pass gives the same bits', () => {
      const spec = networks['convolutions with stride 2, a rest and norms']!
      const passes = [0, 1].map(() => {
        const network = engine.build(spec, 17)
        const job = prepare(spec, network, 17)
        network.forward(job.arena, job.observations, 17)
        const outputs = network.outputs.map(({ name }) => network.output(name).slice())
        const gradient = backward(network, job, 17)
        network.dispose()
        return [...outputs, gradient]
      })
      assert.deepEqual(passes[0], passes[1])
    })

    test('wrong shapes are refused', () => {
      const spec = networks['shared, then separate']!
      const network = engine.build(spec, 8)
      const foreign = engine.build(networks['no hidden layer']!, 8).allocate()
      const arena = network.allocate()
      const state = network.createOptimiser({ kind: 'sgd', momentum: 0 })
      const rows = (count: number) => new Float32Array(count * 6)
      const refused = { name: 'GrapevineError', code: 'shape' }
      const calls: Record<string, () => unknown> = {
        'backward before forward': () => network.backward(arena, rows(3), 3, network.allocate()),
        'no rows': () => network.forward(arena, rows(0), 0),
        'no observations': () => network.forward(arena, rows(0), 1),
        'too few observations': () => network.forward(arena, rows(3).subarray(1), 3),
        'too many observations': () => network.forward(arena, rows(4), 3),
        'more rows than built for': () => network.forward(arena, rows(9), 9),
        'half a row': () => network.forward(arena, rows(2).subarray(3), 1.5),
        'less than no rows': () => network.forward(arena, rows(1), -1),
        'NaN rows': () => network.forward(arena, rows(1), Number.NaN),
        "another network's parameters": () => network.forward(foreign, rows(3), 3),
        'an unknown output': () => network.output('policy'),
        'an unknown output gradient': () => network.outputGradient('policy'),
        'reading into too little': () => network.read(arena, new Float32Array(network.parameterCount - 1)),
        'writing too much': () => network.write(arena, new Float32Array(network.parameterCount + 1)),
        'adding nothing': () => network.add(arena, new Float32Array(0)),
        'reading a foreign arena': () => network.read(foreign, new Float32Array(network.parameterCount)),
        'a foreign gradient in a step': () => network.step(state, arena, foreign, 0.1, null),
        'foreign parameters in a step': () => network.step(state, foreign, arena, 0.1, null),
        'a network for no rows': () => engine.build(spec, 0),
        'a network for half a row': () => engine.build(spec, 0.5),
      }
      for (const [what, call] of Object.entries(calls)) assert.throws(call, refused, what)
      assert.throws(calls['an unknown output']!, { message: /^The network has no output (named policy|'policy'); it has [^;]+\.$/ })
      assert.throws(calls['a network for no rows']!, {
        message:
          /^(A network needs room for a whole number of rows, at least 1, and was asked to take 0|The largest batch is 0, and it must be a whole number of at least 1)\.$/,
      })
      network.forward(arena, rows(3), 3)
      assert.throws(() => network.backward(arena, rows(2), 2, network.allocate()), refused, 'backward of another batch')
      assert.throws(() => network.backward(arena, rows(3), 3, foreign), refused, 'a foreign gradient')
      assert.throws(() => network.backward(arena, rows(2), 3, network.allocate()), refused, 'observations of another length')
      network.backward(arena, rows(3), 3, network.allocate())
      network.dispose()
      assert.throws(() => engine.build({ ...spec, input: [0] }, 1), { code: 'bad_network' })
    })
  })
}

interface Job {
  readonly parameters: Float32Array
  readonly arena: ReturnType<EngineNetwork['allocate']>
  readonly observations: Float32Array
  readonly outputGradients: ReadonlyMap<string, Float32Array>
}

function prepare(spec: NetworkSpec, network: EngineNetwork, batch: number, seed = 5): Job {
  const parameters = someParameters(spec, seed)
  const arena = network.allocate()
  network.write(arena, parameters)
  const observations = someValues(batch * layout(spec).inputSize, -1, 1, seed)
  // Gradients lean to one side, so that sums over the batch do not cancel to nothing and a relative error means something.
  const outputGradients = new Map(
    network.outputs.map(({ name, size, kind }, index) => [name, someValues(kind === 'head' ? batch * size : size, -0.5, 1, seed + index)]),
  )
  return { parameters, arena, observations, outputGradients }
}

/** After a forward pass of the job: its canonical gradient, into an arena that held something else. */
function backward(network: EngineNetwork, job: Job, batch: number): Float32Array {
  for (const { name } of network.outputs) network.outputGradient(name).set(job.outputGradients.get(name)!)
  const arena = network.allocate()
  const gradient = new Float32Array(network.parameterCount).fill(123)
  network.write(arena, gradient)
  network.backward(job.arena, job.observations, batch, arena)
  network.read(arena, gradient)
  return gradient
}

/** Equal to `tolerance` times the largest expected value. */
function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, `length of ${what}`)
  let scale = 0
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!))
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!)
    assert.ok(error <= tolerance * scale, `${what}[${i}] is ${actual[i]}, not ${expected[i]} (relative error ${error / scale})`)
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
