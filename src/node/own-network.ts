/**
 * Models of one's own: a module file that the user named on their own command line, never one that a peer named. Its default export is a function
 * (NetworkContext in learn/engines/own-models.ts) that returns a tf.LayersModel. The manifest carries the SHA-256 of the file, so that only peers
 * with the very same file learn together.
 *
 * Initial weights follow from the run's seed: the model is built on the plain backend, whose bits are the same on every machine, while the
 * chance that unseeded initialisers ask for (Math.random) is a seeded stream.
 */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { judge, networkModuleError, outputsNeeded, registerOwnModel } from '../learn/engines/own-models.ts'
import { loadBackend } from '../learn/engines/tfjs-backend.ts'
import { describeDifference, layout } from '../learn/layout.ts'
import type { LearnerSettings, NetworkSpec, OwnModule } from '../ports/learner.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import { sha256Hex } from '../util/sha256.ts'
import { registerOwnModule } from './own-module.ts'

/** Reads the file at once: its digest is part of the settings. Throws `network_module`. */
export function readNetworkModule(path: string): OwnModule {
  const file = resolve(path)
  try {
    return { file, version: sha256Hex(new Uint8Array(readFileSync(file))) }
  } catch (error) {
    throw networkModuleError(path, `it cannot be read (${messageOf(error)}).`)
  }
}

/** What of the user's own a thread needs before it builds anything. Throws `environment_module`, `network_module` and `cannot_join`. */
export async function registerOwn(settings: Pick<LearnerSettings, 'modules' | 'networkModule' | 'network' | 'weightsSeed'>): Promise<void> {
  for (const module of settings.modules) await registerOwnModule(module)
  const { network, networkModule, weightsSeed } = settings
  if (network.own === undefined || networkModule === undefined || networkModule === null) return
  const here = await buildOwnNetwork(networkModule, network, weightsSeed)
  const difference = describeDifference(layout(here).slices, layout(network).slices)
  if (difference === null) return
  const message = `Cannot take part in this run: ${difference}, though the modules are the same; what they import differs.`
  throw new GrapevineError('cannot_join', 'local', message, { field: 'network' })
}

/**
 * What a saved policy's network needs here, given the module of --network: the engine that runs it. Throws `network_module` where the module is
 * missing or another one.
 */
export async function registerSavedNetwork(network: NetworkSpec, path: string | null): Promise<'wasm' | 'tfjs'> {
  const { own } = network
  if (own === undefined) {
    if (path === null) return 'wasm'
    throw networkModuleError(path, "the network of this policy is made of Grapevine's own layers; leave --network out.")
  }
  if (path === null) {
    const message = `The network of this policy is a model of its own (${own.id}); name the module that builds it with --network.`
    throw new GrapevineError('network_module', 'local', message)
  }
  const module = readNetworkModule(path)
  if (module.version !== own.digest) throw networkModuleError(path, `it is not the file that this policy was trained with (${own.id}).`)
  await registerOwn({ modules: [], networkModule: module, network, weightsSeed: 0 })
  return 'tfjs'
}

type BuildModel = (context: unknown) => unknown

/** Throws `network_module` where importing it throws or it exports no function. */
export async function importNetworkModule({ file }: OwnModule): Promise<BuildModel> {
  const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw networkModuleError(file, `importing it threw "${messageOf(error)}".`)
  })
  if (typeof exported.default === 'function') return exported.default as BuildModel
  const names = Object.keys(exported)
  const there = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
  throw networkModuleError(file, `its default export must be a function that returns a tf.LayersModel, and ${there}.`)
}

/**
 * Builds the model for the inputs and outputs of `like`, makes it known to the engines of this thread, and returns its network. `onStage` is told
 * before the module's own code runs.
 */
export async function buildOwnNetwork(
  module: OwnModule,
  like: NetworkSpec,
  seed: number,
  onStage: (stage: 'import' | 'build') => void = () => undefined,
): Promise<NetworkSpec> {
  const { tf } = await loadBackend('cpu')
  onStage('import')
  const build = await importNetworkModule(module)
  onStage('build')
  const context = { tf, observationShape: [...like.input], outputs: { ...outputsNeeded(like) }, seed }
  const made = await withSeededChance(seed, async () => {
    try {
      return await build(context)
    } catch (error) {
      throw networkModuleError(module.file, `its function threw "${messageOf(error)}".`)
    }
  })
  const own = judge(tf, made, like, { id: idOf(module.file), digest: module.version, file: module.file })
  registerOwnModel(own)
  return own.spec
}

async function withSeededChance<T>(seed: number, work: () => Promise<T>): Promise<T> {
  const before = Math.random
  const random = seededRandom(seed, 'own network')
  Math.random = () => random.uniform()
  try {
    return await work()
  } finally {
    Math.random = before
  }
}

/** "./networks/my-model.ts" is my-model. */
function idOf(file: string): string {
  return (
    basename(file)
      .replace(/\.[^.]*$/, '')
      .replace(/[^A-Za-z0-9_.-]/g, '-') || 'model'
  )
}
