/** A module with a model of one's own: read, built the same way for the same seed, tried, and refused in a sentence. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { findOwnModel } from '../../src/learn/engines/own-models.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import { buildOwnNetwork, readNetworkModule } from '../../src/node/own-network.ts'
import { tryNetwork } from '../../src/node/trial.ts'
import { sha256Hex } from '../../src/util/sha256.ts'
import { temporaryFolder } from './folder.ts'

const EXAMPLE = join(import.meta.dirname, '../../scripts/examples/my-model.ts')
const like = (algorithm: string, environment: string) => presetNetwork(algorithm, preset(algorithm, environment).network, environment, {})
const CARTPOLE = like('a2c', 'CartPole-v1')

async function moduleOf(context: TestContext, text: string) {
  const file = join(await temporaryFolder(context), 'net.mjs')
  writeFileSync(file, text)
  return readNetworkModule(file)
}

test('the example serves every algorithm and kind of environment', async () => {
  const module = readNetworkModule(EXAMPLE)
  for (const [algorithm, environment, outputs] of [
    ['a2c', 'CartPole-v1', 'logits value'],
    ['ppo', 'Pendulum-v1', 'mean value'],
    ['apex', 'MinAtar/Breakout-v1', 'value advantage'],
  ] as const) {
    const network = await tryNetwork(module, { like: like(algorithm, environment), seed: 1 })
    assert.equal(network!.heads.map(({ name }) => name).join(' '), outputs)
    assert.equal(network!.own!.id, 'my-model')
    assert.equal(network!.own!.weights[0]!.name, 'dense1/kernel')
  }
})

test('initial weights follow from the seed, though no initialiser was given one', async (context) => {
  const module = await moduleOf(
    context,
    `export default ({ tf }) => tf.sequential({ layers: [
       tf.layers.dense({ units: 5, inputShape: [4], kernelInitializer: 'orthogonal' }),
       tf.layers.dense({ units: 5, kernelInitializer: 'truncatedNormal' }),
       tf.layers.dense({ name: 'q', units: 2 }),
     ] })`,
  )
  const initial = async (seed: number) => findOwnModel(await buildOwnNetwork(module, like('apex', 'CartPole-v1'), seed)).initial
  const chance = Math.random
  const [first, again, other] = [await initial(7), await initial(7), await initial(8)]
  assert.deepEqual(again, first)
  assert.notDeepEqual(other, first)
  // The same bits on every machine: what every peer of a run begins with.
  assert.equal(sha256Hex(new Uint8Array(first.buffer)).slice(0, 16), 'bef8d1d3419cffc0')
  assert.equal(Math.random, chance)
})

test('its seed and what it needs are told to the function, which may be asynchronous', async (context) => {
  const module = await moduleOf(
    context,
    `export default async ({ tf, observationShape, outputs, seed }) => {
       await null
       if (JSON.stringify([observationShape, outputs, seed]) !== '[[4],{"logits":2,"value":1},9]') throw new Error('not told')
       const input = tf.input({ shape: observationShape })
       const heads = Object.entries(outputs).map(([name, units]) => tf.layers.dense({ name, units }).apply(input))
       return tf.model({ inputs: input, outputs: heads })
     }`,
  )
  const network = await tryNetwork(module, { like: CARTPOLE, seed: 9 })
  assert.deepEqual(
    network!.own!.weights.map(({ name }) => name),
    ['logits/kernel', 'logits/bias', 'value/kernel', 'value/bias'],
  )
})

const model = (body: string) => `export default ({ tf, outputs }) => {
  const input = tf.input({ shape: [4] })
  const dense = (name, units, x = input) => tf.layers.dense({ name, units }).apply(x)
  ${body}
}`

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['throws on import', 'throw new Error("no luck")', /importing it threw "no luck"\.$/],
  ['exports nothing', '', /its default export must be a function that returns a tf\.LayersModel, and it exports nothing\.$/],
  ['exports something else', 'export const make = 1; export default 2', /its default export must be .*, and it exports default, make\.$/],
  ['throws', 'export default () => { throw new Error("no luck") }', /its function threw "no luck"\.$/],
  ['returns no model', 'export default () => 3', /what its function returned is no tf\.LayersModel; return what tf\.model/],
  [
    'two inputs',
    model(`return tf.model({ inputs: [input, tf.input({ shape: [1] })], outputs: [dense('logits', 2), dense('value', 1)] })`),
    /its model has 2 inputs, and there is one: the observation, 4\.$/,
  ],
  [
    'another input',
    `export default ({ tf }) => tf.sequential({ layers: [tf.layers.dense({ name: 'logits', units: 2, inputShape: [5] })] })`,
    /its model takes inputs of 5, and observations here are 4\.$/,
  ],
  [
    'a fixed batch',
    `export default ({ tf }) => { const input = tf.input({ batchShape: [8, 4] }); return tf.model({ inputs: input, outputs: tf.layers.dense({ units: 1 }).apply(input) }) }`,
    /its model takes exactly 8 rows; give tf\.input a shape, not a batchShape\.$/,
  ],
  [
    'an output is missing',
    model(`return tf.model({ inputs: input, outputs: dense('logits', 2) })`),
    /its model has the outputs logits \[2\], and logits \[2\] and value \[1\] are needed; the name of an output is that of its layer\.$/,
  ],
  [
    'an output of another size',
    model(`return tf.model({ inputs: input, outputs: [dense('logits', 3), dense('value', 1)] })`),
    /its model has the outputs logits \[3\] and value \[1\], and logits \[2\] and value \[1\] are needed/,
  ],
  [
    'an output too many',
    model(`return tf.model({ inputs: input, outputs: [dense('logits', 2), dense('value', 1), dense('aux', 1)] })`),
    /its model has the outputs logits \[2\] and value \[1\] and aux \[1\], and .* are needed/,
  ],
  [
    'batch normalisation',
    model(`const x = tf.layers.batchNormalization({ name: 'bn' }).apply(input)
      return tf.model({ inputs: input, outputs: [dense('logits', 2, x), dense('value', 1, x)] })`),
    /its weights bn\/moving_mean, bn\/moving_variance are not trained; leave out frozen layers and batch normalisation/,
  ],
  [
    'a layer that cannot be trained here',
    model(`const maps = tf.layers.reshape({ targetShape: [2, 2, 1] }).apply(dense('first', 4))
      const x = tf.layers.flatten().apply(tf.layers.separableConv2d({ filters: 2, kernelSize: 2 }).apply(maps))
      return tf.model({ inputs: input, outputs: [dense('logits', 2, x), dense('value', 1, x)] })`),
    /it has a layer that cannot be trained on the backend wasm of TensorFlow\.js, which lacks DepthwiseConv2dNativeBackprop\w+; use other layers, or install the native backend/,
  ],
  [
    'weights that are not finite',
    model(`const bad = tf.layers.dense({ name: 'logits', units: 2, kernelInitializer: tf.initializers.constant({ value: Infinity }) })
      return tf.model({ inputs: input, outputs: [bad.apply(input), dense('value', 1)] })`),
    /its weight logits\/kernel begins with values that are not finite\.$/,
  ],
]

const native = await import('@tensorflow/tfjs-node').then(
  () => true,
  () => false,
)

for (const [title, text, message] of REFUSED) {
  const skip = native && title === 'a layer that cannot be trained here' && 'the native backend trains it'
  test(`refused: ${title}`, { skip }, async (context) => {
    await assert.rejects(tryNetwork(await moduleOf(context, text), { like: CARTPOLE, seed: 1 }), (error: Error) => {
      assert.match(error.message, message)
      assert.match(error.message, /^The module \S+net\.mjs cannot serve as a network \(--network\): [^\n]*$/)
      assert.equal(exitCodeOf(error), 2)
      return true
    })
  })
}

test('a log standard deviation that depends on the observation is refused', async (context) => {
  const module = await moduleOf(
    context,
    `export default ({ tf }) => {
       const input = tf.input({ shape: [3] })
       return tf.model({ inputs: input, outputs: ['mean', 'logStd', 'value'].map((name) => tf.layers.dense({ name, units: 1 }).apply(input)) })
     }`,
  )
  const message = /its output logStd depends on the observation, and must be the same for all; leave it out, and one is added\.$/
  await assert.rejects(tryNetwork(module, { like: like('ppo', 'Pendulum-v1'), seed: 1 }), { code: 'network_module', message })
})

test('one that never returns is told in a sentence', async (context) => {
  const forever = await moduleOf(context, 'export default () => { for (;;); }')
  await assert.rejects(tryNetwork(forever, { like: CARTPOLE, seed: 1 }, 500), {
    code: 'network_module',
    message: /cannot serve as a network \(--network\): its function did not return within 0\.5 s\.$/,
  })
})

test('a file that is not there is told before anything is built', () => {
  assert.throws(() => readNetworkModule('./nowhere.ts'), {
    code: 'network_module',
    message: /^The module \.\/nowhere\.ts cannot serve as a network \(--network\): it cannot be read \(ENOENT/,
  })
})
