/**
 * Tries a model of the user's own on a backend before a run depends on it: can it compute and be trained here? Throws `network_module` with
 * what is wrong.
 */
import type { NetworkSpec } from '../../ports/learner.ts'
import { messageOf } from '../../util/errors.ts'
import { seededRandom } from '../../util/random.ts'
import { networkModuleError } from './own-models.ts'
import type { TfjsBackend } from './tfjs-backend.ts'
import { TfjsOwnNetwork } from './tfjs-own.ts'

const ROWS = 2

export function tryOut(backend: TfjsBackend, spec: NetworkSpec, file: string): void {
  const network = new TfjsOwnNetwork(backend, spec, spec.own!, ROWS)
  const random = seededRandom(0, 'trial')
  const size = spec.input.reduce((product, length) => product * length, 1)
  const observations = Float32Array.from({ length: ROWS * size }, () => 2 * random.uniform() - 1)
  const parameters = network.allocate()
  network.write(parameters, network.initial)
  const gradient = network.allocate()
  try {
    network.forward(parameters, observations, ROWS)
    for (const { name } of network.outputs) network.outputGradient(name).fill(1)
    network.backward(parameters, observations, ROWS, gradient)
  } catch (error) {
    throw networkModuleError(file, untrainable(backend.name, messageOf(error)))
  }
  const wild = network.outputs.find(({ name }) => !network.output(name).every(Number.isFinite))
  if (wild !== undefined) throw networkModuleError(file, `its output ${wild.name} is not finite for observations between -1 and 1.`)
  if (!gradient.data.every(Number.isFinite)) throw networkModuleError(file, 'its gradient is not finite for observations between -1 and 1.')
  if (network.idle.length > 0) {
    throw networkModuleError(file, `its weights ${network.idle.join(', ')} lead to none of its outputs; leave those layers out.`)
  }
  if (!network.sameForAllRows(parameters, observations, ROWS)) {
    throw networkModuleError(
      file,
      'its output logStd depends on the observation, and must be the same for all; leave it out, and one is added.',
    )
  }
}

function untrainable(backend: string, problem: string): string {
  const [, kernel] = /Kernel '(\w+)' not registered/.exec(problem) ?? []
  if (kernel === undefined) return `a pass through its model threw "${problem}".`
  const advice = 'use other layers, or install the native backend (scripts/setup-tfjs-node.sh)'
  return `it has a layer that cannot be trained on the backend ${backend} of TensorFlow.js, which lacks ${kernel}; ${advice}.`
}
