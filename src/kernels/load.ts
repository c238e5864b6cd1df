/**
 * The compiled kernels: two builds of src/kernels/assembly, loaded from the files beside this module (npm's prepare step makes them).
 * Instances hold no state: all of it lies in the memory they are given, and several threads may run on one memory.
 * Throws GrapevineError `kernels_missing` when a file is not there.
 */
import { readFileSync } from 'node:fs'
import { GrapevineError } from '../util/errors.ts'

export type KernelBuild = 'relaxed' | 'deterministic'

/** Addresses in bytes, counts in floats; documented in src/kernels/assembly. */
export interface KernelExports {
  run(
    steps: number,
    once: number,
    count: number,
    chunk: number,
    parameters: number,
    observations: number,
    gradient: number,
    begin: number,
    end: number,
  ): void
  squares(x: number, count: number): number
  sgd(p: number, g: number, v: number, count: number, scale: number, rate: number, momentum: number): void
  rmsprop(
    p: number,
    g: number,
    s: number,
    count: number,
    scale: number,
    rate: number,
    decay: number,
    rest: number,
    epsilon: number,
    inside: number,
  ): void
  adam(
    p: number,
    g: number,
    m: number,
    v: number,
    count: number,
    scale: number,
    step: number,
    unbias: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    epsilon: number,
    keep: number,
  ): void
}

export interface Kernels {
  readonly build: KernelBuild
  readonly memory: WebAssembly.Memory
  readonly exports: KernelExports
}

const modules = new Map<KernelBuild, WebAssembly.Module | null>()

/** The relaxed build where the machine has it, unless `deterministic` is asked for; `build` tells which it is. */
export function loadKernels(memory: WebAssembly.Memory, deterministic: boolean): Kernels {
  const relaxed = deterministic ? null : compiled('relaxed')
  const build = relaxed === null ? 'deterministic' : 'relaxed'
  const module = relaxed ?? compiled('deterministic')
  if (module === null) {
    throw new GrapevineError('no_simd', 'local', 'This version of Node runs no WebAssembly SIMD; use Node 22 or newer on a 64-bit machine.')
  }
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  return { build, memory, exports: instance.exports as unknown as KernelExports }
}

/** null: the machine cannot run it. */
function compiled(build: KernelBuild): WebAssembly.Module | null {
  const known = modules.get(build)
  if (known !== undefined) return known
  const bytes = read(build)
  const module = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null
  modules.set(build, module)
  return module
}

function read(build: KernelBuild): Uint8Array<ArrayBuffer> {
  const file = new URL(`./kernels-${build}.wasm`, import.meta.url)
  try {
    return new Uint8Array(readFileSync(file))
  } catch {
    throw new GrapevineError('kernels_missing', 'local', `The compiled kernels are missing at ${file.pathname}; run npm run build:kernels.`)
  }
}
