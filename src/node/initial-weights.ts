/** The tensors of `--init-from FILE`: a safetensors file of any program, or a data folder or checkpoint of ours, by the names of its network's slices. */
import { readFile, stat } from 'node:fs/promises'
import { layout } from '../learn/layout.ts'
import type { Tensor } from '../ports/tensors.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { decodeSafetensors } from '../wire/safetensors.ts'
import { loadSavedPolicy, requireWhole } from './saved-policy.ts'

/** Fails with `init_from`. */
export async function readInitialWeights(path: string): Promise<Readonly<Record<string, Tensor>>> {
  try {
    if (!(await stat(path)).isDirectory()) {
      const bytes = new Uint8Array(await readFile(path))
      const { tensors, metadata } = decodeSafetensors(bytes)
      if (metadata.format?.startsWith('grapevine policy')) requireWhole(bytes)
      if (!metadata.format?.startsWith('grapevine checkpoint')) return tensors
    }
    const { facts, parameters } = await loadSavedPolicy(path, 'best')
    const { slices } = layout(facts.network)
    return Object.fromEntries(
      slices.map(({ name, shape, offset, length }) => [name, { shape, data: parameters.slice(offset, offset + length) }]),
    )
  } catch (error) {
    const reason = messageOf(error).replace(/\.$/, '')
    throw new GrapevineError('init_from', 'local', `Cannot begin with the weights in ${path} (--init-from): ${reason}.`, { path })
  }
}
