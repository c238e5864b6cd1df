/**
 * What a network spec means, worked out once for every engine: the shape of each layer, the canonical slices, the outputs.
 *
 * Canonical order: torso layers, then each head's own layers and its linear output, then free vectors; kernel (or gain) before bias.
 * Torso layers are numbered by kind from 1 (`conv1/kernel`, `dense2/bias`, `norm1/gain`), a head's own carry its name
 * (`value/dense1/kernel`), its output is the name alone (`value/kernel`), a free vector too (`logStd`).
 * A model of one's own has its weights in their own order, then free vectors; `torso` and `heads` are empty, for its layers are its own business.
 * A spec that makes no network throws GrapevineError `bad_network`; nothing large is allocated before the sizes are known to be bearable.
 */
import type { Activation, LayerSpec, NetworkSpec, OwnModelSpec, Slice } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { NetworkOutput } from './engine.ts'
import { MAX_LAYER_FLOATS, MAX_PARAMETER_BYTES } from './limits.ts'

/** Added to the variance by layer normalisation (PyTorch's default). */
export const LAYER_NORM_EPSILON = 1e-5

/** y = activation(x kernel + bias); kernel [inputs, units]. */
export interface DenseLayer {
  readonly kind: 'dense'
  readonly name: string
  readonly inputs: number
  readonly units: number
  readonly activation: Activation
  readonly kernel: Slice
  readonly bias: Slice
}

/** Valid padding, NHWC; kernel [size, size, channels, filters]. `input` and `output` are [height, width, channels] of one row. */
export interface ConvLayer {
  readonly kind: 'conv'
  readonly name: string
  readonly input: readonly [number, number, number]
  readonly output: readonly [number, number, number]
  readonly size: number
  readonly stride: number
  readonly activation: Activation
  readonly kernel: Slice
  readonly bias: Slice
}

/** Each of the `groups` runs of `width` floats in a row (the last axis: units, or the channels of one place) is normalised, then scaled by gain [width] and shifted by bias [width]. */
export interface NormLayer {
  readonly kind: 'layerNorm'
  readonly name: string
  readonly groups: number
  readonly width: number
  readonly gain: Slice
  readonly bias: Slice
}

export type Layer = DenseLayer | ConvLayer | NormLayer

/** A chain of layers from the torso's output; the last one is the linear output of `size` units. */
export interface Head {
  readonly name: string
  readonly size: number
  readonly gain: number
  readonly layers: readonly Layer[]
}

export interface FreeVector {
  readonly name: string
  readonly initial: number
  readonly slice: Slice
}

export interface NetworkLayout {
  /** Floats of one observation. */
  readonly inputSize: number
  /** Floats of the torso's output for one row. */
  readonly torsoSize: number
  readonly torso: readonly Layer[]
  readonly heads: readonly Head[]
  readonly vectors: readonly FreeVector[]
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  /** Heads, then vectors, in the order of the spec. */
  readonly outputs: readonly NetworkOutput[]
}

/** Floats that a layer reads per row. */
export function inputSize(layer: Layer): number {
  if (layer.kind === 'dense') return layer.inputs
  return layer.kind === 'conv' ? product(layer.input) : layer.groups * layer.width
}

/** Floats that a layer writes per row. */
export function outputSize(layer: Layer): number {
  if (layer.kind === 'dense') return layer.units
  return layer.kind === 'conv' ? product(layer.output) : layer.groups * layer.width
}

export function layout(spec: NetworkSpec): NetworkLayout {
  if (spec.input.length !== 1 && spec.input.length !== 3) {
    throw bad(`a network's input must be [n] or [height, width, channels], and this one has ${spec.input.length} dimensions`)
  }
  for (const size of spec.input) positive(size, 'the input')
  bearable(product(spec.input), 'the input')
  if (spec.heads.length === 0) throw bad('a network needs at least one head, and this one has none')

  const slices = new SliceList()
  if (spec.own !== undefined) return ownLayout(spec, spec.own, slices)
  const torso = resolve(spec.torso, spec.input, '', slices)
  const heads = spec.heads.map((head): Head => {
    named(head.name)
    positive(head.size, `the output of head ${head.name}`)
    finite(head.gain, `the gain of head ${head.name}`)
    const hidden = resolve(head.layers, torso.shape, `${head.name}/`, slices)
    const output = dense(head.name, product(hidden.shape), head.size, 'linear', slices)
    return { name: head.name, size: head.size, gain: head.gain, layers: [...hidden.layers, output] }
  })
  const vectors = freeVectors(spec, slices)
  const outputs: NetworkOutput[] = [
    ...heads.map(({ name, size }) => ({ name, size, kind: 'head' as const })),
    ...vectors.map(({ name, slice }) => ({ name, size: slice.length, kind: 'vector' as const })),
  ]
  distinct(outputs)
  return {
    inputSize: product(spec.input),
    torsoSize: product(torso.shape),
    torso: torso.layers,
    heads,
    vectors,
    slices: slices.all,
    parameterCount: slices.count,
    outputs,
  }
}

/** The name of an output of an own model that is the same for every row, as the free vector of a built-in network. */
const OWN_VECTOR = 'logStd'

function ownLayout(spec: NetworkSpec, { weights }: OwnModelSpec, slices: SliceList): NetworkLayout {
  if (spec.torso.length > 0 || spec.heads.some(({ layers }) => layers.length > 0)) {
    throw bad('a network that is a model of its own has no other layers, and this one lists some')
  }
  for (const { name, shape } of weights) {
    for (const size of shape) positive(size, `the weight ${name}`)
    slices.add(name, shape)
  }
  for (const { name, size } of spec.heads) {
    named(name)
    positive(size, `the output ${name}`)
  }
  const vectors = freeVectors(spec, slices)
  const outputs: NetworkOutput[] = [
    ...spec.heads.map(({ name, size }) => ({ name, size, kind: name === OWN_VECTOR ? ('vector' as const) : ('head' as const) })),
    ...vectors.map(({ name, slice }) => ({ name, size: slice.length, kind: 'vector' as const })),
  ]
  distinct(outputs)
  return {
    inputSize: product(spec.input),
    torsoSize: 0,
    torso: [],
    heads: [],
    vectors,
    slices: slices.all,
    parameterCount: slices.count,
    outputs,
  }
}

/** `what` works layer by layer and has no use for a model of somebody's own. Throws `bad_network` with what to do instead. */
export function requireLayers({ own }: NetworkSpec, what: string, instead: string): void {
  if (own !== undefined) throw bad(`the network is a model of its own (${own.id}), which ${what} cannot run; ${instead}`)
}

function freeVectors(spec: NetworkSpec, slices: SliceList): readonly FreeVector[] {
  return spec.vectors.map((vector): FreeVector => {
    named(vector.name)
    positive(vector.size, `vector ${vector.name}`)
    finite(vector.initial, `the initial value of vector ${vector.name}`)
    return { name: vector.name, initial: vector.initial, slice: slices.add(vector.name, [vector.size]) }
  })
}

function distinct(outputs: readonly NetworkOutput[]): void {
  const names = outputs.map((output) => output.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw bad(`two outputs of the network are named ${twice}; give each its own name`)
}

/** The first mismatch of two lists of slices in words ("network dense2 is 64x4 there and 64x2 here"), or null when they are the same. */
export function describeDifference(ours: readonly Slice[], theirs: readonly Slice[]): string | null {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const mine = ours[i]
    const other = theirs[i]
    if (mine === undefined) return `network ${spoken(other!)} is ${size(other!)} there and missing here`
    if (other === undefined) return `network ${spoken(mine)} is missing there and ${size(mine)} here`
    if (mine.name !== other.name) {
      if (!ours.some(({ name }) => name === other.name)) return `network ${spoken(other)} is ${size(other)} there and missing here`
      if (!theirs.some(({ name }) => name === mine.name)) return `network ${spoken(mine)} is missing there and ${size(mine)} here`
      return `network has ${spoken(other)} there where ${spoken(mine)} is here`
    }
    if (size(mine) !== size(other)) return `network ${spoken(mine)} is ${size(other)} there and ${size(mine)} here`
  }
  return null
}

const spoken = (slice: Slice) => slice.name.replace(/\/kernel$/, '').replace(/\/(bias|gain)$/, ' $1')
const size = (slice: Slice) => slice.shape.join('x')

/** Names and places of the slices so far; refuses a second one of the same name and more than the allowed bytes. */
class SliceList {
  readonly all: Slice[] = []
  count = 0

  add(name: string, shape: readonly number[]): Slice {
    if (this.all.some((slice) => slice.name === name)) {
      throw bad(`two parts of the network are named ${name}; rename the head or vector that clashes`)
    }
    const slice = { name, shape, offset: this.count, length: product(shape) }
    this.count += slice.length
    if (this.count * 4 > MAX_PARAMETER_BYTES) {
      throw bad(`the network passes ${MAX_PARAMETER_BYTES / 1_048_576} MiB of parameters at ${name}; make it smaller`)
    }
    this.all.push(slice)
    return slice
  }
}

function resolve(specs: readonly LayerSpec[], input: readonly number[], prefix: string, slices: SliceList) {
  const layers: Layer[] = []
  const counts = { dense: 0, conv: 0, norm: 0 }
  let shape = input
  for (const spec of specs) {
    const kind = spec.kind === 'layerNorm' ? 'norm' : spec.kind
    const name = `${prefix}${kind}${++counts[kind]}`
    if (spec.kind === 'dense') {
      positive(spec.units, name)
      layers.push(dense(name, product(shape), spec.units, spec.activation, slices))
      shape = [spec.units]
    } else if (spec.kind === 'conv') {
      const layer = conv(name, spec, shape, slices)
      layers.push(layer)
      shape = layer.output
    } else {
      const width = shape.at(-1)!
      const gain = slices.add(`${name}/gain`, [width])
      layers.push({ kind: 'layerNorm', name, groups: product(shape) / width, width, gain, bias: slices.add(`${name}/bias`, [width]) })
    }
    bearable(product(shape), name)
  }
  return { layers, shape }
}

function dense(name: string, inputs: number, units: number, activation: Activation, slices: SliceList): DenseLayer {
  const kernel = slices.add(`${name}/kernel`, [inputs, units])
  return { kind: 'dense', name, inputs, units, activation, kernel, bias: slices.add(`${name}/bias`, [units]) }
}

function conv(name: string, spec: Extract<LayerSpec, { kind: 'conv' }>, shape: readonly number[], slices: SliceList): ConvLayer {
  const [height, width, channels] = shape
  if (height === undefined || width === undefined || channels === undefined) {
    throw bad(
      `${name} needs an input of [height, width, channels] and gets a flat one of ${shape[0]}; put convolutions before dense layers`,
    )
  }
  positive(spec.filters, name)
  positive(spec.kernel, `the kernel of ${name}`)
  positive(spec.stride, `the stride of ${name}`)
  if (spec.kernel > height || spec.kernel > width) {
    throw bad(`the ${spec.kernel}x${spec.kernel} kernel of ${name} is larger than its ${height}x${width} input; make it smaller`)
  }
  const places = (length: number) => Math.floor((length - spec.kernel) / spec.stride) + 1
  const kernel = slices.add(`${name}/kernel`, [spec.kernel, spec.kernel, channels, spec.filters])
  return {
    kind: 'conv',
    name,
    input: [height, width, channels],
    output: [places(height), places(width), spec.filters],
    size: spec.kernel,
    stride: spec.stride,
    activation: spec.activation,
    kernel,
    bias: slices.add(`${name}/bias`, [spec.filters]),
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1)
}

function positive(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 1) throw bad(`the size of ${what} is ${value}; it must be a whole number of at least 1`)
}

function finite(value: number, what: string): void {
  if (!Number.isFinite(value)) throw bad(`${what} is ${value}; it must be a finite number`)
}

function bearable(floats: number, what: string): void {
  if (floats > MAX_LAYER_FLOATS) {
    throw bad(`${what} has ${floats} values for one observation, more than the ${MAX_LAYER_FLOATS} allowed; make it smaller`)
  }
}

function named(name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) {
    throw bad(`${JSON.stringify(name)} cannot name an output; use a letter, then up to 63 letters, digits, - or _`)
  }
}

function bad(message: string): GrapevineError<'bad_network'> {
  return new GrapevineError('bad_network', 'local', `${message}.`)
}
