/**
 * A trained policy as a safetensors file: one tensor for each named slice of its network, and in the metadata, as JSON, what acting needs.
 * Reading runs in Node and in a browser. Throws `bad_policy` where a file is none.
 */
import type { Slice } from '../ports/learner.ts'
import type { PolicyFacts, PolicyFile } from '../ports/policy.ts'
import type { TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { decodeSafetensors } from '../wire/safetensors.ts'

const FORMAT = 'grapevine policy 1'

/** To be sealed. `slices`: of the network, whose parameters are canonical. */
export function policyTensors({ facts, parameters }: PolicyFile, slices: readonly Slice[]): TensorFile {
  const tensors = Object.fromEntries(
    slices.map(({ name, shape, offset, length }) => [name, { shape, data: parameters.slice(offset, offset + length) }]),
  )
  return { tensors, metadata: { format: FORMAT, policy: JSON.stringify(facts) } }
}

export function isPolicy({ metadata }: TensorFile): boolean {
  return metadata.format === FORMAT
}

/** `slicesOf`: the slices of a network, with which its tensors must agree. */
export function decodePolicy(bytes: Uint8Array, slicesOf: (network: PolicyFacts['network']) => readonly Slice[]): PolicyFile {
  const file = opened(bytes)
  if (!isPolicy(file)) throw bad(`it is "${file.metadata.format ?? 'of another program'}" where "${FORMAT}" is read`)
  const facts = parsed(file.metadata.policy ?? '')
  const slices = slicesOf(facts.network)
  const parameters = new Float32Array(slices.reduce((sum, { length }) => sum + length, 0))
  for (const { name, shape, offset } of slices) {
    const tensor = file.tensors[name]
    if (!(tensor?.data instanceof Float32Array) || String(tensor.shape) !== String(shape))
      throw bad(`its tensor "${name}" is missing or has another shape`)
    parameters.set(tensor.data, offset)
  }
  return { facts, parameters }
}

function opened(bytes: Uint8Array): TensorFile {
  try {
    return decodeSafetensors(bytes)
  } catch (error) {
    throw bad(error instanceof GrapevineError ? String(error.data.problem) : String(error))
  }
}

function parsed(text: string): PolicyFacts {
  try {
    const facts = JSON.parse(text) as Partial<PolicyFacts> | null
    if (facts?.network !== undefined && Array.isArray(facts.observe) && facts.action !== undefined) return facts as PolicyFacts
  } catch {
    // Told below.
  }
  throw bad('its description of the policy is malformed')
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_policy', 'local', `This is no policy that can be loaded: ${problem}.`, { problem })
}
