/** Weights of an earlier run as the first ones of a new run: slices whose name and shape agree are taken over, the rest stay as they are. */
import type { Slice } from '../ports/learner.ts'
import type { Tensor } from '../ports/tensors.ts'

export interface TakenOver {
  /** Canonical, a copy. */
  readonly parameters: Float32Array
  readonly taken: readonly string[]
  /** Slices of the network that keep their initial values, each with the reason. */
  readonly left: readonly string[]
}

/** `initial`: canonical parameters of a network with these `slices`. */
export function takeOver(slices: readonly Slice[], initial: Float32Array, tensors: Readonly<Record<string, Tensor>>): TakenOver {
  const parameters = initial.slice()
  const taken: string[] = []
  const left: string[] = []
  for (const { name, shape, offset } of slices) {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
    if (!(tensor?.data instanceof Float32Array)) left.push(`${name} (not there)`)
    else if (String(tensor.shape) !== String(shape)) left.push(`${name} (${tensor.shape.join('x')} there, ${shape.join('x')} here)`)
    else if (!tensor.data.every(Number.isFinite)) left.push(`${name} (not finite)`)
    else {
      parameters.set(tensor.data, offset)
      taken.push(name)
    }
  }
  return { parameters, taken, left }
}
