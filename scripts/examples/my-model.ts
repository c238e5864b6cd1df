/**
 * A network of one's own: a tf.LayersModel with a hidden layer for each output and one that they share. Train it with
 * `grapevine start --network ./scripts/examples/my-model.ts`; who joins needs the same file: `grapevine join ADDRESS --network ...`.
 *
 * `outputs` names what the algorithm needs and how long each is, such as { logits: 2, value: 1 }; an output has the name of its layer.
 */
import type { SymbolicTensor } from '@tensorflow/tfjs'
import type { NetworkContext } from '../../src/index.ts'

export default function build({ tf, observationShape, outputs }: NetworkContext) {
  const observation = tf.input({ shape: [...observationShape] })
  // Pictures come as [height, width, channels].
  const flat = observationShape.length === 1 ? observation : tf.layers.flatten().apply(observation)
  const shared = tf.layers.dense({ units: 32, activation: 'tanh' }).apply(flat)
  const heads = Object.entries(outputs).map(([name, units]) => {
    const hidden = tf.layers.dense({ units: 32, activation: 'tanh' }).apply(shared)
    // A policy that begins undecided explores.
    const kernelInitializer = tf.initializers.randomNormal({ stddev: name === 'value' ? 0.2 : 0.01 })
    return tf.layers.dense({ name, units, kernelInitializer }).apply(hidden) as SymbolicTensor
  })
  return tf.model({ inputs: observation, outputs: heads })
}
