/**
 * Can this peer run that manifest? Checked before anything is allocated; the first field that cannot be satisfied is named in one sentence
 * (GrapevineError `cannot_join`, fault local, with `field`).
 */
import { codecNames } from '../average/codecs.ts'
import { findEnvironment, makeEnv } from '../envs/registry.ts'
import type { BoxSpace, EnvironmentSpec, Space } from '../envs/types.ts'
import { ALGORITHMS, hyperparameterFaults } from '../learn/hyperparameters.ts'
import { describeDifference, layout } from '../learn/layout.ts'
import { policyOutputs } from '../learn/policy-head.ts'
import type { NetworkSpec } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Manifest } from '../wire/manifest.ts'
import { BYTES_PER_PARAMETER } from './limits.ts'
import { STRATEGIES } from './strategies.ts'

/** The environment's entry; throws `cannot_join`. */
export function checkCompatible(manifest: Manifest, maxMemoryBytes: number): EnvironmentSpec {
  const environment = checkEnvironment(manifest)
  const { id, hyperparameters } = manifest.algorithm
  if (!ALGORITHMS.some((known) => known === id)) {
    throw cannotJoin('algorithm', `algorithm ${id} is not known here (${ALGORITHMS.join(', ')} are)`)
  }
  const [fault] = hyperparameterFaults(id, hyperparameters)
  if (fault !== undefined) throw cannotJoin('algorithm', `its settings are not valid here: ${fault.replace(/\.$/, '')}`)
  const [wrapper] = manifest.wrappers
  if (wrapper !== undefined) throw cannotJoin('wrappers', `wrapper ${wrapper.id} is not known here`)
  checkNetwork(manifest, maxMemoryBytes)
  const { strategy, codec } = manifest.averaging
  if (!STRATEGIES.includes(strategy)) throw cannotJoin('averaging', `strategy ${strategy} is not known here (${STRATEGIES.join(', ')} are)`)
  if (!codecNames().includes(codec)) throw cannotJoin('averaging', `codec ${codec} is not known here (${codecNames().join(', ')} are)`)
  return environment
}

function checkEnvironment(manifest: Manifest): EnvironmentSpec {
  const { id, version } = manifest.environment
  let environment: EnvironmentSpec
  try {
    environment = findEnvironment(id)
  } catch {
    throw cannotJoin('environment', `environment ${id} is not registered here`)
  }
  if (environment.version !== version) {
    throw cannotJoin('environment', `environment ${id} is version ${version} there and ${environment.version} here`)
  }
  return environment
}

function checkNetwork(manifest: Manifest, maxMemoryBytes: number): void {
  let theirs: ReturnType<typeof layout>
  try {
    theirs = layout(manifest.network)
  } catch (error) {
    throw cannotJoin('network', `its network cannot be built: ${error instanceof Error ? error.message : String(error)}`)
  }
  const neededBytes = theirs.parameterCount * BYTES_PER_PARAMETER
  if (neededBytes > maxMemoryBytes) {
    const gib = (bytes: number) => `${(bytes / 1_073_741_824).toFixed(2)} GiB`
    throw cannotJoin(
      'network',
      `its ${theirs.parameterCount} parameters need about ${gib(neededBytes)}, --max-memory allows ${gib(maxMemoryBytes)}`,
    )
  }
  const probe = makeEnv(manifest.environment.id, manifest.environment.options)
  const ours = layout(fitted(manifest.network, probe.observationSpace, probe.actionSpace))
  probe.close()
  const difference = describeDifference(ours.slices, theirs.slices)
  if (difference !== null) throw cannotJoin('network', difference)
}

/** The network as it would have to be for our environment's spaces. */
function fitted(network: NetworkSpec, observations: BoxSpace, actions: Space): NetworkSpec {
  const { head, vectors } = policyOutputs(actions, [])
  const sizes = new Map([head, ...vectors].map(({ name, size }) => [name, size]))
  const resize = <T extends { readonly name: string; readonly size: number }>(part: T): T => ({
    ...part,
    size: sizes.get(part.name) ?? part.size,
  })
  return { ...network, input: observations.shape, heads: network.heads.map(resize), vectors: network.vectors.map(resize) }
}

function cannotJoin(field: string, reason: string): GrapevineError {
  return new GrapevineError('cannot_join', 'local', `Cannot take part in this run: ${reason}.`, { field })
}
