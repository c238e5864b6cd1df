/**
 * Can this peer run that manifest? Checked before anything is allocated; the first field that cannot be satisfied is named in one sentence
 * (GrapevineError `cannot_join`, fault local, with `field`).
 */
import { ROBUST_RULES } from '../average/combine.ts'
import { LOCAL_OPTIONS } from '../envs/bridge/options.ts'
import { isBridged } from '../envs/bridge/script.ts'
import { findEnvironment, makeVectorEnv } from '../envs/registry.ts'
import type { BoxSpace, EnvironmentSpec, Space, VectorEnvironment } from '../envs/types.ts'
import { wrapperIds, wrapVector } from '../envs/wrappers/wrap.ts'
import { ALGORITHMS, hyperparameterFaults } from '../learn/hyperparameters.ts'
import { describeDifference, layout } from '../learn/layout.ts'
import { MAX_FOREIGN_SHARE } from '../learn/limits.ts'
import { policyOutputs } from '../learn/policy-head.ts'
import { sharingFault } from '../learn/sharing.ts'
import type { NetworkSpec } from '../ports/learner.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { CODEC_FORMS, readCodecName } from '../wire/codec-names.ts'
import type { Manifest } from '../wire/manifest.ts'
import { BYTES_OF_TRAVELLING_MOMENTS, BYTES_PER_PARAMETER } from './limits.ts'
import type { PeerSettings } from './settings.ts'
import { partnerFault, strategyNamed } from './strategies.ts'
import { strategyNames } from './strategy-names.ts'

/** Hex digits of a digest that tell two files apart for a person. */
const SHOWN_DIGEST_DIGITS = 12

/** The environment's entry; throws `cannot_join`. */
export function checkCompatible(
  manifest: Manifest,
  settings: Pick<PeerSettings, 'maxMemoryBytes' | 'allowPython' | 'networkModule' | 'engine'>,
): EnvironmentSpec {
  const environment = checkEnvironment(manifest, settings.allowPython)
  const { id, hyperparameters } = manifest.algorithm
  if (!ALGORITHMS.some((known) => known === id)) {
    throw cannotJoin('algorithm', `algorithm ${id} is not known here (${ALGORITHMS.join(', ')} are)`)
  }
  const [fault] = hyperparameterFaults(id, hyperparameters)
  if (fault !== undefined) throw cannotJoin('algorithm', `its settings are not valid here: ${fault.replace(/\.$/, '')}`)
  checkExperience(manifest)
  const unknown = manifest.wrappers.find((wrapper) => !wrapperIds().includes(wrapper.id))
  if (unknown !== undefined) throw cannotJoin('wrappers', `wrapper ${unknown.id} is not known here (${wrapperIds().join(', ')} are)`)
  checkOwnModel(manifest.network, settings)
  checkNetwork(manifest, settings.maxMemoryBytes)
  const { strategy, codec, robust } = manifest.averaging
  if (!strategyNames().includes(strategy))
    throw cannotJoin('averaging', `strategy ${strategy} is not known here (${strategyNames().join(', ')} are)`)
  const { partner } = manifest.averaging
  const choices = partnerFault(strategyNamed(strategy), partner)
  if (choices !== null) throw cannotJoin('averaging', `partner rule ${partner} of ${strategy} is not known here (${choices} are)`)
  if (readCodecName(codec) === null) throw cannotJoin('averaging', `codec ${codec} is not known here (${CODEC_FORMS.join(', ')} are)`)
  if (!ROBUST_RULES.some((rule) => rule === robust))
    throw cannotJoin('averaging', `robust rule ${robust} is not known here (${ROBUST_RULES.join(', ')} are)`)
  return environment
}

function checkEnvironment(manifest: Manifest, allowPython: boolean): EnvironmentSpec {
  const { id, version, options } = manifest.environment
  let environment: EnvironmentSpec
  try {
    environment = findEnvironment(id)
  } catch {
    throw cannotJoin('environment', `environment ${id} is not registered here (one of your own needs --env MODULE)`)
  }
  if (environment.version !== version) {
    throw cannotJoin('environment', `environment ${id} is version ${version} there and ${environment.version} here`)
  }
  if (isBridged(id)) checkBridged(id, options, allowPython)
  return environment
}

function checkExperience({ algorithm: { id, hyperparameters }, experience }: Manifest): void {
  if (experience === undefined) return
  const { share } = experience
  if (share > MAX_FOREIGN_SHARE) throw cannotJoin('experience', `a share of ${share} of others' experience is over ${MAX_FOREIGN_SHARE}`)
  const fault = sharingFault(id, hyperparameters, share)
  if (fault !== null) throw cannotJoin('experience', `its experience cannot be shared here: ${fault.replace(/\.$/, '')}`)
}

/** Before anything of Python is started. */
function checkBridged(id: string, options: Readonly<Record<string, unknown>>, allowPython: boolean): void {
  if (!allowPython) {
    throw cannotJoin('environment', `environment ${id} runs in Python, which a run of others may start here only with --allow-python`)
  }
  const own = LOCAL_OPTIONS.find((name) => name in options)
  if (own !== undefined) throw cannotJoin('environment', `option "${own}" of ${id} is each machine's own and cannot come from others`)
}

/** A model of the founder's own is built by the very same module here, or not at all. */
function checkOwnModel({ own }: NetworkSpec, { networkModule, engine }: Pick<PeerSettings, 'networkModule' | 'engine'>): void {
  const short = (digest: string) => digest.slice(0, SHOWN_DIGEST_DIGITS)
  if (own === undefined) {
    if (networkModule === null) return
    throw cannotJoin('network', "its network is one of Grapevine's own layers there and the module of --network here; leave --network out")
  }
  const theirs = `module ${own.id} (digest ${short(own.digest)})`
  if (networkModule === null)
    throw cannotJoin('network', `its network is a model of ${theirs}, which is missing here; name its file with --network`)
  if (networkModule.version !== own.digest)
    throw cannotJoin(
      'network',
      `its network is a model of ${theirs} there, and the file of --network differs here (digest ${short(networkModule.version)})`,
    )
  if (engine !== 'tfjs') throw cannotJoin('network', `its network is a model of ${theirs}, which needs --engine tfjs`)
}

function checkNetwork(manifest: Manifest, maxMemoryBytes: number): void {
  let theirs: ReturnType<typeof layout>
  try {
    theirs = layout(manifest.network)
  } catch (error) {
    throw cannotJoin('network', `its network cannot be built: ${messageOf(error)}`)
  }
  const travelling = manifest.averaging.moments === 'averaged' ? BYTES_OF_TRAVELLING_MOMENTS : 0
  const neededBytes = theirs.parameterCount * (BYTES_PER_PARAMETER + travelling)
  if (neededBytes > maxMemoryBytes) {
    const gib = (bytes: number) => `${(bytes / 1_073_741_824).toFixed(2)} GiB`
    throw cannotJoin(
      'network',
      `its ${theirs.parameterCount} parameters need about ${gib(neededBytes)}, --max-memory allows ${gib(maxMemoryBytes)}`,
    )
  }
  const probe = makeProbe(manifest)
  const ours = layout(fitted(manifest.network, probe.observationSpace, probe.actionSpace))
  probe.close()
  const difference = describeDifference(ours.slices, theirs.slices)
  if (difference !== null) throw cannotJoin('network', difference)
  // The outputs of a model of one's own are not among its weights, and its module is told their sizes.
  for (const [i, { name, size }] of theirs.outputs.entries()) {
    const here = ours.outputs[i]!.size
    if (size !== here) throw cannotJoin('network', `network output ${name} is ${size} there and ${here} here`)
  }
}

function makeProbe({ environment: { id, options }, wrappers }: Manifest): VectorEnvironment {
  try {
    return wrapVector(makeVectorEnv(id, 1, options), wrappers)
  } catch (error) {
    throw cannotJoin('environment', error instanceof Error ? error.message.replace(/\.$/, '') : String(error))
  }
}

/** The network as it would have to be for our environment's spaces. */
function fitted(network: NetworkSpec, observations: BoxSpace, actions: Space): NetworkSpec {
  const { head, vectors } = policyOutputs(actions, [])
  const sizes = new Map([head, ...vectors].map(({ name, size }) => [name, size])).set('value', 1)
  if (actions.kind === 'discrete') sizes.set('advantage', actions.n)
  const resize = <T extends { readonly name: string; readonly size: number }>(part: T): T => ({
    ...part,
    size: sizes.get(part.name) ?? part.size,
  })
  return { ...network, input: observations.shape, heads: network.heads.map(resize), vectors: network.vectors.map(resize) }
}

function cannotJoin(field: string, reason: string): GrapevineError {
  return new GrapevineError('cannot_join', 'local', `Cannot take part in this run: ${reason}.`, { field })
}
