/**
 * The compiled kernels: builds of src/kernels/assembly (what sets them apart: assembly/simd.ts), loaded from the files beside this module,
 * which npm's prepare step makes. Instances hold no state: all of it lies in the memory they are given, and several threads may run on one memory.
 */
import { existsSync, readFileSync } from 'node:fs'
import { GrapevineError } from '../util/errors.ts'
import { compileEagerly } from './compile.ts'
import { isFrom, sourcesDigest } from './sources.ts'

export type KernelBuild = 'relaxed' | 'deterministic' | 'wide'

/** Addresses in bytes, counts in floats. */
export interface KernelExports {
  /** Walks a program (assembly/program.ts). */
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
  axpy(y: number, x: number, count: number, k: number): void
  dot(x: number, y: number, count: number): number
  difference(x: number, y: number, count: number, weight: number): number
  squares(x: number, count: number): number
  scale(x: number, count: number, weight: number): void
  allFinite(x: number, count: number): number
  largest(x: number, count: number): number
  encodeInt8(x: number, q: number, count: number, inverse: number): void
  decodeInt8(q: number, x: number, count: number, scale: number): void
  encodeF16(x: number, h: number, count: number): void
  decodeF16(h: number, x: number, count: number): void
  categorical(logits: number, classes: number, actions: number, logPolicy: number, logProbs: number, entropies: number, rows: number): void
  categoricalGradient(
    logPolicy: number,
    classes: number,
    actions: number,
    entropies: number,
    dLogProbs: number,
    dEntropy: number,
    dLogits: number,
    rows: number,
  ): void
  /** Counts are multiples of 8; coefficients in the order of assembly/optimisers.ts. */
  sgd(parameters: number, gradient: number, velocity: number, count: number, coefficients: number): void
  rmsprop(parameters: number, gradient: number, square: number, count: number, coefficients: number): void
  adam(parameters: number, gradient: number, first: number, second: number, count: number, coefficients: number): void
  /** Multiply-adds in registers, 64 operations a round: the machine's peak. */
  peak(rounds: number): number
}

export interface Kernels {
  readonly build: KernelBuild
  readonly memory: WebAssembly.Memory
  /** May be sent to another thread, which then need not compile it again. */
  readonly module: WebAssembly.Module
  readonly exports: KernelExports
}

const modules = new Map<KernelBuild, WebAssembly.Module | null>()

/** null: this machine cannot run that build. Throws GrapevineError `kernels_missing` when it was never made, or made from other sources. */
export function loadKernels(memory: WebAssembly.Memory, build: KernelBuild): Kernels | null {
  const module = compiled(build)
  return module === null ? null : { build, memory, module, exports: instantiate(module, memory) }
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports
}

function compiled(build: KernelBuild): WebAssembly.Module | null {
  const known = modules.get(build)
  if (known !== undefined) return known
  const bytes = read(build)
  const module = WebAssembly.validate(bytes) ? compileEagerly(bytes, build === 'wide') : null
  modules.set(build, module)
  return module
}

function read(build: KernelBuild): Uint8Array<ArrayBuffer> {
  const file = new URL(`./kernels-${build}.wasm`, import.meta.url)
  if (!existsSync(file)) throw missing(`The compiled kernels are missing at ${file.pathname}`)
  const bytes = new Uint8Array(readFileSync(file))
  const digest = sourcesDigest()
  if (digest !== null && !isFrom(bytes, digest))
    throw missing(`The kernels at ${file.pathname} were compiled from other sources than are here`)
  return bytes
}

function missing(what: string): GrapevineError {
  return new GrapevineError('kernels_missing', 'local', `${what}; run npm run build:kernels.`)
}
