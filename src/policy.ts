/**
 * The small loader for trained policies, in Node and in browsers, without the rest of Grapevine:
 *
 *   import { loadPolicy } from 'grapevine-rl/policy'
 *   const policy = await loadPolicy('policy.safetensors')      // what `grapevine export` wrote: a path, a URL or its bytes
 *   policy.reset()                                             // at the start of each episode
 *   const action = policy.act(observation, { deterministic: true })
 *
 * Observations are what the environment gives (Float32Array, row-major); normalising and stacking are done here as in training. A discrete action
 * is a number, a continuous one a Float32Array of its own. Errors are GrapevineErrors: `bad_policy`, `bad_network`,
 * `policy_unreachable`, and of `act` `shape`, `observation`, `seed`.
 */
import { layout } from './learn/layout.ts'
import { type Policy, policyOf } from './learn/trained-policy.ts'
import { decodePolicy, requireDigest } from './store/policy-file.ts'
import { GrapevineError, messageOf } from './util/errors.ts'
import { sealIn } from './wire/seal.ts'

export type { ActOptions, Policy } from './learn/trained-policy.ts'
export type { ActionStage, ObservationStage, PolicyFacts } from './ports/policy.ts'
export { GrapevineError } from './util/errors.ts'

/** `source`: the path (Node) or URL of an exported policy, or its bytes. Throws `bad_policy` where it is none or damaged, `bad_network` where its network cannot be run here, `policy_unreachable` where it cannot be read. */
export async function loadPolicy(source: string | URL | Uint8Array | ArrayBuffer): Promise<Policy> {
  const bytes = await bytesOf(source)
  const seal = sealIn(bytes)
  // Browsers compute no checksums on pages that came over plain HTTP.
  if (seal !== null && globalThis.crypto?.subtle !== undefined) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', seal.of))
    requireDigest(seal.sha256, Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''))
  }
  return policyOf(decodePolicy(bytes, (network) => layout(network).slices))
}

async function bytesOf(source: string | URL | Uint8Array | ArrayBuffer): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new GrapevineError(
      'policy_unreachable',
      'local',
      `A policy is a path, a URL or bytes, not ${source === null ? 'null' : typeof source}.`,
    )
  }
  // Asked for at run time, so that bundles for browsers need not know of it.
  const files = globalThis.process?.getBuiltinModule?.('node:fs/promises')
  const isWeb = /^https?:/.test(String(source))
  try {
    if (files !== undefined && !isWeb) return new Uint8Array(await files.readFile(/^file:/.test(String(source)) ? new URL(source) : source))
    const response = await fetch(source)
    if (!response.ok) throw new Error(`the server answered ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (error) {
    // What failed below fetch says what happened; fetch itself does not.
    const reason = messageOf(error instanceof Error ? (error.cause ?? error) : error)
    throw new GrapevineError('policy_unreachable', 'local', `The policy ${source} cannot be read: ${reason}.`, { reason })
  }
}
