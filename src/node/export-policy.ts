/** Writes a policy in the formats that others read. A file is replaced whole or not at all. */
import { basename, dirname, resolve } from 'node:path'
import { createEngine } from '../learn/engines/create.ts'
import { evaluatePolicy } from '../learn/evaluate-policy.ts'
import { layout } from '../learn/layout.ts'
import type { PolicyFile } from '../ports/policy.ts'
import { policyTensors } from '../store/policy-file.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'
import { folderStorage } from './storage.ts'

export const EXPORT_FORMATS = ['safetensors', 'onnx', 'tfjs'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Episodes of the evaluation of a mean, which nobody has evaluated yet, and their seed. */
const MEAN_EPISODES = 20
const MEAN_SEED = 1

/**
 * `evaluate`: play some episodes first, on an engine of that name, for which a model of one's own is registered where the network is one.
 * Fails with `storage` where `out` cannot be written.
 */
export async function exportPolicy(
  policy: PolicyFile,
  format: ExportFormat,
  out: string,
  evaluate: 'wasm' | 'tfjs' | null,
): Promise<{ readonly evaluation: { readonly mean: number; readonly episodes: number } | null }> {
  const evaluation = evaluate === null ? null : await meanReturn(policy, evaluate)
  const evaluated = evaluation === null ? policy : { ...policy, facts: { ...policy.facts, returnMean: evaluation.mean } }
  if (format === 'tfjs') {
    const { loadBackend } = await import('../learn/engines/tfjs-backend.ts')
    const { encodeLayersModel } = await import('../learn/exports/layers-model.ts')
    const { tf } = await loadBackend('cpu')
    const files = await encodeLayersModel(evaluated, tf)
    const folder = folderStorage(resolve(out), resolve(out))
    for (const [name, bytes] of Object.entries(files)) await folder.write(name, bytes as Uint8Array)
  } else {
    await folderStorage(dirname(resolve(out)), dirname(resolve(out))).write(basename(out), await encoded(evaluated, format))
  }
  return { evaluation }
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
