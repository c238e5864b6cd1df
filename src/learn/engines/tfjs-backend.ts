/**
 * Finds TensorFlow.js and a backend for it: `tensorflow` (native, the optional package tfjs-node), else `wasm`, else `cpu`.
 * TensorFlow.js is one per thread and has one current backend; `use` makes ours current before each pass.
 */
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import util from 'node:util'
import { GrapevineError } from '../../util/errors.ts'
import { withoutNewErrorListeners } from '../../util/process-listeners.ts'
import { completeWasmBackend } from './tfjs-kernels.ts'

export type Tfjs = typeof import('@tensorflow/tfjs')
export type TfjsBackendName = 'tensorflow' | 'wasm' | 'cpu'

export interface TfjsBackend {
  readonly tf: Tfjs
  readonly name: TfjsBackendName
  use(): void
}

/** Loads `wanted`, or the fastest backend that this machine has. Throws `engine_unavailable` when it cannot be had. */
export async function loadBackend(wanted: TfjsBackendName | null): Promise<TfjsBackend> {
  const failures: string[] = []
  for (const name of wanted === null ? (['tensorflow', 'wasm', 'cpu'] as const) : [wanted]) {
    try {
      const tf = await load(name)
      if (await withoutNewErrorListeners(() => tf.setBackend(name))) return { tf, name, use: () => use(tf, name) }
      failures.push(`${name} does not start`)
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  throw new GrapevineError(
    'engine_unavailable',
    'local',
    `TensorFlow.js has no usable backend here (${failures.join('; ')}); choose --engine wasm or install the package that is missing.`,
  )
}

async function load(name: TfjsBackendName): Promise<Tfjs> {
  if (name === 'tensorflow') {
    replaceUtilities()
    const { default: native } = await import('@tensorflow/tfjs-node')
    return silent(native)
  }
  const { default: tf } = await import('@tensorflow/tfjs')
  if (name === 'wasm') {
    const wasm = await import('@tensorflow/tfjs-backend-wasm')
    wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep)
    completeWasmBackend(tf)
  }
  return silent(tf)
}

/** Production mode drops the banner of the cpu backend and the advice to install another one. */
function silent(tf: Tfjs): Tfjs {
  tf.enableProdMode()
  return tf
}

/** tfjs-node 4.22 calls two functions of `util` that warn of their end up to Node 22 and are gone since Node 23. */
function replaceUtilities(): void {
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray })
}

/** A backend that has started before becomes current before `setBackend` returns; its promise says nothing more. */
function use(tf: Tfjs, name: TfjsBackendName): void {
  if (tf.getBackend() !== name) void tf.setBackend(name)
}
