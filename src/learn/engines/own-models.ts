/**
 * Models of the user's own, in the thread that built them: what a module made is judged (is it a model that can be trained for this?), gets
 * canonical names for its weights, and lies here for the engine to find by its spec.
 *
 * Everything amiss throws GrapevineError `network_module`, which says what it is and what to do. The model is always called as in use, not as
 * in training: dropout does nothing.
 */
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { HeadSpec, NetworkSpec, OwnModelSpec } from '../../ports/learner.ts'
import { GrapevineError } from '../../util/errors.ts'
import { layout } from '../layout.ts'
import type { Tfjs } from './tfjs-backend.ts'

/** What the user's function is told; it returns a tf.LayersModel, or a promise of one. */
export interface NetworkContext {
  /** TensorFlow.js, the instance that will train the model. */
  readonly tf: Tfjs
  /** Of one observation as the wrapped environment gives it: [n] or [height, width, channels]. */
  readonly observationShape: readonly number[]
  /**
   * The outputs that the algorithm needs, with the length of each: `logits` and `value`, or `mean` and `value`, or `q`. An output's name is that of
   * the layer that makes it. `logStd` is added to `mean` as a trained vector, unless the model has an output of that name, which must be
   * the same for every observation. In the place of `q` there may be `value` [1] and `advantage` (dueling heads).
   */
  readonly outputs: Readonly<Record<string, number>>
  /** Of the run. Initialisers without a seed of their own follow it already. */
  readonly seed: number
}

/** A model that was judged; `initial`: canonical parameters [parameterCount]. */
export interface OwnModel {
  readonly spec: NetworkSpec
  readonly model: LayersModel
  readonly initial: Float32Array
}

const models = new Map<string, OwnModel>()

/** Makes it known to the engines of this thread. */
export function registerOwnModel(model: OwnModel): void {
  models.set(keyOf(model.spec), model)
}

/** Throws `bad_network` where the module that builds it was not given here. */
export function findOwnModel(spec: NetworkSpec): OwnModel {
  const found = models.get(keyOf(spec))
  if (found !== undefined) return found
  const message = `The network is a model of its own (${spec.own?.id}), and the module that builds it was not given; name it with --network.`
  throw new GrapevineError('bad_network', 'local', message)
}

function keyOf(spec: NetworkSpec): string {
  return JSON.stringify([spec.own, spec.input, spec.heads.map(({ name, size }) => [name, size]), spec.vectors])
}

/** From a network for the same spaces, or from one that was made of it by `judge`: what the user's function is told of outputs. */
export function outputsNeeded({ heads }: NetworkSpec): Readonly<Record<string, number>> {
  const advantage = heads.find(({ name }) => name === 'advantage')
  if (advantage !== undefined) return { q: advantage.size }
  return Object.fromEntries(heads.filter(({ name }) => name !== 'logStd').map(({ name, size }) => [name, size]))
}

/**
 * The model as a network for the same inputs and outputs as `like` has. `module`: its file, for messages.
 */
export function judge(
  tf: Tfjs,
  returned: unknown,
  like: NetworkSpec,
  module: Omit<OwnModelSpec, 'weights'> & { readonly file: string },
): OwnModel {
  const amiss = (what: string) => networkModuleError(module.file, what)
  const made = unwrapped(tf, returned)
  if (!isLayersModel(made))
    throw amiss('what its function returned is no tf.LayersModel; return what tf.model(...) or tf.sequential(...) made.')
  const wanted = like.input.join('x')
  if (made.inputs.length !== 1) throw amiss(`its model has ${made.inputs.length} inputs, and there is one: the observation, ${wanted}.`)
  const [rows, ...input] = made.inputs[0]!.shape
  if (String(input) !== String(like.input))
    throw amiss(`its model takes inputs of ${input.join('x')}, and observations here are ${wanted}.`)
  if (rows !== null) throw amiss(`its model takes exactly ${rows} rows; give tf.input a shape, not a batchShape.`)
  const heads = headsOf(made, like, amiss)
  const frozen = made.nonTrainableWeights.map(({ name }) => name)
  if (frozen.length > 0) {
    throw amiss(
      `its weights ${frozen.join(', ')} are not trained; leave out frozen layers and batch normalisation (layerNormalization works).`,
    )
  }
  if (made.trainableWeights.length === 0) throw amiss('its model has no weights, so there is nothing to learn.')
  const weights = namesOf(made).map((name, i) => ({ name, shape: made.weights[i]!.shape as number[] }))
  const { id, digest } = module
  const vectors = heads.some(({ name }) => name === 'logStd') ? [] : like.vectors
  const spec: NetworkSpec = { input: like.input, torso: [], heads, vectors, own: { id, digest, weights } }
  const { parameterCount, vectors: free } = layout(spec)
  const initial = new Float32Array(parameterCount)
  let offset = 0
  for (const weight of made.weights) {
    const values = weight.read().dataSync()
    if (!values.every(Number.isFinite)) throw amiss(`its weight ${weight.name} begins with values that are not finite.`)
    initial.set(values, offset)
    offset += values.length
  }
  for (const { slice, initial: value } of free) initial.fill(value, slice.offset, slice.offset + slice.length)
  return { spec, model: made, initial }
}

export function networkModuleError(file: string, what: string): GrapevineError<'network_module'> {
  return new GrapevineError('network_module', 'local', `The module ${file} cannot serve as a network (--network): ${what}`, { file })
}

/** A sequential model keeps the model proper, with its outputs by name, to itself; one without an inputShape has none. */
function unwrapped(tf: Tfjs, returned: unknown): unknown {
  if (!(returned instanceof tf.Sequential) || returned.inputs === undefined || returned.inputs.length === 0) return returned
  returned.build()
  return (returned as unknown as { readonly model: unknown }).model
}

/** By what it can do: the module may have a copy of the library of its own. */
function isLayersModel(made: unknown): made is LayersModel {
  if (made === null || typeof made !== 'object') return false
  const { inputs, outputs, outputNames, layers, apply } = made as Partial<LayersModel>
  return [inputs, outputs, outputNames, layers].every(Array.isArray) && typeof apply === 'function'
}

function headsOf(made: LayersModel, like: NetworkSpec, amiss: (what: string) => Error): readonly HeadSpec[] {
  const needed = outputsNeeded(like)
  const there = new Map(made.outputNames.map((name, i) => [name, made.outputs[i]!.shape.slice(1)]))
  const dueling = 'q' in needed && there.has('advantage') ? { value: 1, advantage: needed.q! } : null
  const wanted: Readonly<Record<string, number>> = dueling ?? {
    ...needed,
    ...('mean' in needed && there.has('logStd') ? { logStd: needed.mean! } : {}),
  }
  const say = (outputs: readonly string[]) => (outputs.length === 0 ? 'none' : outputs.join(' and '))
  const asked = say(Object.entries(wanted).map(([name, size]) => `${name} [${size}]`))
  const told = say([...there].map(([name, shape]) => `${name} [${shape.join(', ')}]`))
  const fits =
    there.size === Object.keys(wanted).length && Object.entries(wanted).every(([name, size]) => String(there.get(name)) === String([size]))
  if (!fits) throw amiss(`its model has the outputs ${told}, and ${asked} are needed; the name of an output is that of its layer.`)
  const heads = Object.entries(wanted).map(([name, size]) => ({ name, layers: [], size, gain: 1 }))
  // Ape-X reads q as a value and advantages, which is what the engine makes of it.
  return heads.flatMap((head) =>
    head.name === 'q'
      ? [
          { ...head, name: 'value', size: 1 },
          { ...head, name: 'advantage' },
        ]
      : [head],
  )
}

/** Names by layer, in the model's order: `dense1/kernel`, `conv2d2/bias`. */
function namesOf(made: LayersModel): readonly string[] {
  const layers = layerNames(made)
  const taken = new Set<string>()
  return made.weights.map(({ originalName }) => {
    const [layer = '', ...rest] = originalName.split('/')
    const base = [layers.get(layer) ?? layer, ...rest].join('/')
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`
    taken.add(name)
    return name
  })
}

/**
 * What layers are called here that the user did not name, by what the library calls them: those names carry a number that depends on what else the
 * thread built; here it is counted anew by kind.
 */
export function layerNames(made: LayersModel): ReadonlyMap<string, string> {
  const counts = new Map<string, number>()
  const layers = new Map<string, string>()
  for (const layer of made.layers) {
    const [, kind] = new RegExp(`^(\\w+)_${layer.getClassName()}\\d+$`).exec(layer.name) ?? []
    if (kind === undefined) continue
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    layers.set(layer.name, `${kind}${counts.get(kind)}`)
  }
  return layers
}

/** One output by name, of what a call of the model gave. */
export function outputTensor({ outputNames }: LayersModel, result: Tensor | Tensor[], name: string): Tensor {
  return Array.isArray(result) ? result[outputNames.indexOf(name)]! : result
}
