/** Writes a policy in the formats that others read. A file is replaced whole or not at all. */
import { basename, dirname, resolve } from 'node:path'
import { createEngine } from '../learn/engines/create.ts'
import { findOwnModel } from '../learn/engines/own-models.ts'
import { evaluatePolicy } from '../learn/evaluate-policy.ts'
import { layout } from '../learn/layout.ts'
import type { PolicyFacts, PolicyFile } from '../ports/policy.ts'
import { policyTensors } from '../store/policy-file.ts'
import { GrapevineError } from '../util/errors.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'
import { folderStorage } from './storage.ts'

export const EXPORT_FORMATS = ['safetensors', 'onnx', 'tfjs'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Episodes of the evaluation of a mean, which nobody has evaluated yet, and their seed. */
const MEAN_EPISODES = 20
const MEAN_SEED = 1

export interface ExportOptions {
  /** That runs the policy, for which a model of one's own is registered where the network is one; null: no such model was given. */
  readonly engine: 'wasm' | 'tfjs' | null
  /** Play some episodes first. */
  readonly evaluate: boolean
}

export interface ExportOutcome {
  readonly evaluation: { readonly mean: number; readonly episodes: number } | null
  /** What the file lacks, for a person. */
  readonly lacking: string | null
}

/** Fails with `storage` where `out` cannot be written, and with `network_layer` where the format has no place for a layer. */
export async function exportPolicy(
  policy: PolicyFile,
  format: ExportFormat,
  out: string,
  { engine, evaluate }: ExportOptions,
): Promise<ExportOutcome> {
  const { facts, lacking } = await describedFacts(policy.facts, format, engine)
  const evaluation = evaluate && engine !== null ? await meanReturn(policy, engine) : null
  const evaluated = { ...policy, facts: evaluation === null ? facts : { ...facts, returnMean: evaluation.mean } }
  if (format === 'tfjs') {
    const { loadBackend } = await import('../learn/engines/tfjs-backend.ts')
    const { encodeLayersModel } = await import('../learn/exports/layers-model.ts')
    const { tf } = await loadBackend('cpu')
    const files = await encodeLayersModel(evaluated, tf)
    const folder = folderStorage(resolve(out), resolve(out))
    for (const [name, bytes] of Object.entries(files)) await folder.write(name, bytes as Uint8Array)
  } else {
    const path = resolve(out)
    await folderStorage(dirname(path), dirname(path)).write(basename(path), await encoded(evaluated, format))
  }
  return { evaluation, lacking }
}

/** With the layers of a model of one's own, which a layers model holds already. */
async function describedFacts(
  facts: PolicyFacts,
  format: ExportFormat,
  engine: ExportOptions['engine'],
): Promise<{ readonly facts: PolicyFacts; readonly lacking: string | null }> {
  if (facts.network.own === undefined || facts.graph !== undefined || format === 'tfjs') return { facts, lacking: null }
  if (engine === null)
    return { facts, lacking: 'The file holds the weights alone; with --network MODULE it is one that grapevine-rl/policy can run.' }
  const { describeOwnModel } = await import('../learn/exports/own-graph.ts')
  try {
    return { facts: { ...facts, graph: describeOwnModel(findOwnModel(facts.network)) }, lacking: null }
  } catch (error) {
    if (format === 'onnx' || !(error instanceof GrapevineError && error.code === 'network_layer')) throw error
    const { layer, kind } = error.data
    return {
      facts,
      lacking: `The file holds the weights alone: grapevine-rl/policy cannot run the layer ${layer} (${kind}); use --format tfjs.`,
    }
  }
}

async function encoded(policy: PolicyFile, format: Exclude<ExportFormat, 'tfjs'>): Promise<Uint8Array> {
  if (format === 'safetensors') return sealTensors(policyTensors(policy, layout(policy.facts.network).slices))
  return (await import('../learn/exports/onnx.ts')).encodeOnnx(policy)
}

async function meanReturn(policy: PolicyFile, name: 'wasm' | 'tfjs'): Promise<{ readonly mean: number; readonly episodes: number }> {
  const engine = await createEngine(name, { deterministic: true })
  const { mean } = evaluatePolicy(policy, engine, { episodes: MEAN_EPISODES, deterministic: true, seed: MEAN_SEED })
  return { mean, episodes: MEAN_EPISODES }
}
