/**
 * A trained policy as a safetensors file: one tensor for each named slice of its network, and in the metadata, as JSON, what acting needs.
 * Reading runs in Node and in a browser. Throws `bad_policy` where a file is none.
 */
import type { Slice } from '../ports/learner.ts'
import type { PolicyFacts, PolicyFile } from '../ports/policy.ts'
import type { TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { decodeSafetensors } from '../wire/safetensors.ts'
import { malformedField } from './policy-check.ts'

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

/** Throws `bad_policy` unless the checksum that a file carries is the one it has. */
export function requireDigest(carried: string, actual: string): void {
  if (carried !== actual)
    throw bad('its checksum does not match its bytes, so it is damaged (or was changed: then take sha256 out of its metadata)')
}

/** `slicesOf`: the slices of a network, with which its tensors must agree. */
export function decodePolicy(bytes: Uint8Array, slicesOf: (network: PolicyFacts['network']) => readonly Slice[]): PolicyFile {
  const file = opened(bytes)
  if (!isPolicy(file)) throw bad(`it is "${file.metadata.format ?? 'of another program'}" where "${FORMAT}" is read`)
  const facts = parsed(file.metadata.policy ?? '')
  const slices = slicesIn(facts, slicesOf)
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
  let facts: unknown
  try {
    facts = JSON.parse(text)
  } catch {
    throw bad('its description of the policy is no JSON')
  }
  const malformed = malformedField(facts)
  if (malformed !== null) throw bad(`its description of the policy has a malformed ${malformed}`)
  return facts as PolicyFacts
}

/** Throws `bad_network` of a network that cannot be, and `bad_policy` of what is none. */
function slicesIn({ network }: PolicyFacts, slicesOf: (network: PolicyFacts['network']) => readonly Slice[]): readonly Slice[] {
  try {
    return slicesOf(network)
  } catch (error) {
    throw error instanceof GrapevineError ? error : bad('its description of the policy has a malformed network')
  }
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_policy', 'local', `This is no policy that can be loaded: ${problem}.`, { problem })
}
