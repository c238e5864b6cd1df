/** The work that engines are compared on: networks as reinforcement learning uses them, forward passes and whole A2C updates. */
import type { Activation, LayerSpec, NetworkSpec } from '../../../src/ports/learner.ts'

export interface Task {
  readonly network: NetworkName
  readonly kind: 'inference' | 'update'
  readonly batch: number
}

export type NetworkName = 'mlp64' | 'mlp256' | 'minatar' | 'nature'

const dense = (units: number, activation: Activation): LayerSpec => ({ kind: 'dense', units, activation })
const conv = (filters: number, kernel: number, stride: number): LayerSpec => ({ kind: 'conv', filters, kernel, stride, activation: 'relu' })

function actorCritic(input: readonly number[], torso: readonly LayerSpec[], actions: number): NetworkSpec {
  const heads = [
    { name: 'logits', layers: [], size: actions, gain: 0.01 },
    { name: 'value', layers: [], size: 1, gain: 1 },
  ]
  return { input, torso, heads, vectors: [] }
}

export const networks: Readonly<Record<NetworkName, NetworkSpec>> = {
  mlp64: actorCritic([4], [dense(64, 'tanh'), dense(64, 'tanh')], 2),
  mlp256: actorCritic([17], [dense(256, 'tanh'), dense(256, 'tanh')], 6),
  minatar: actorCritic([10, 10, 4], [conv(16, 3, 1), dense(128, 'relu')], 6),
  nature: actorCritic([84, 84, 4], [conv(32, 8, 4), conv(64, 4, 2), conv(64, 3, 1), dense(512, 'relu')], 6),
}

const batches: Readonly<Record<NetworkName, Readonly<Record<Task['kind'], readonly number[]>>>> = {
  mlp64: { inference: [1, 16, 64, 256], update: [80, 320, 2048] },
  mlp256: { inference: [1, 16, 64, 256], update: [256, 2048] },
  minatar: { inference: [1, 16, 64, 256], update: [32, 80, 320, 2048] },
  nature: { inference: [1, 32], update: [32] },
}

export const tasks: readonly Task[] = (Object.keys(networks) as NetworkName[]).flatMap((network) =>
  (['inference', 'update'] as const).flatMap((kind) => batches[network][kind].map((batch) => ({ network, kind, batch }))),
)

/** The least ratio of PyTorch's time to ours that the engine is held to; absent: measured only. */
export const requiredRatios: Readonly<Record<string, number>> = {
  'mlp64 inference 1': 40,
  'mlp64 inference 16': 9,
  'mlp64 inference 64': 4,
  'mlp64 inference 256': 2.5,
  'mlp64 update 80': 11,
  'mlp64 update 320': 3,
  'mlp64 update 2048': 1.7,
  'mlp256 inference 1': 4,
  'mlp256 inference 16': 1.4,
  'mlp256 inference 64': 1,
  'mlp256 update 256': 1.3,
  'mlp256 update 2048': 1,
  'minatar inference 1': 4,
  'minatar inference 16': 2,
  'minatar inference 64': 1,
  'minatar inference 256': 0.8,
  'minatar update 32': 1.3,
  'minatar update 80': 1,
  'minatar update 320': 1,
  'minatar update 2048': 1,
}

export const titleOf = ({ network, kind, batch }: Task) => `${network} ${kind} ${batch}`

/** Floating-point operations of matrix products and convolutions in a task: two per multiply-add; an update has three products per layer but the first. */
export function operations({ network, kind, batch }: Task): number {
  const { input, torso, heads } = networks[network]
  let shape = input
  let total = 0
  const count = (multiplications: number) => {
    const passes = kind === 'inference' ? 1 : total === 0 ? 2 : 3
    total += 2 * passes * multiplications
  }
  for (const layer of torso) {
    const size = shape.reduce((product, length) => product * length, 1)
    if (layer.kind === 'dense') {
      count(size * layer.units)
      shape = [layer.units]
    } else if (layer.kind === 'conv') {
      const [height = 0, width = 0, channels = 0] = shape
      const places = (length: number) => Math.floor((length - layer.kernel) / layer.stride) + 1
      shape = [places(height), places(width), layer.filters]
      count(places(height) * places(width) * layer.filters * layer.kernel * layer.kernel * channels)
    }
  }
  for (const { size } of heads) count(shape.reduce((product, length) => product * length, 1) * size)
  return total * batch
}
