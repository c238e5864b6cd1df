/**
 * The engine contract: networks on flat arenas. outputs = forward(parameters, observations); gradient = backward(d outputs); optimiser steps.
 * Two implementations: `wasm` (fused SIMD kernels, the default) and `tfjs` (the reference). Engines pack and pad inside their arenas as they
 * like; `read`, `write` and `add` translate from and to the canonical order of `slices` (see ports/learner.ts).
 *
 * One EngineNetwork belongs to one thread; nothing is allocated per call; every length is checked and a wrong one throws GrapevineError `shape`.
 */
import type { NetworkSpec, Slice } from '../ports/learner.ts'

/** Float32 storage of one parameter-like vector (parameters, gradient, moment) in the engine's own packing. */
export interface Arena {
  readonly data: Float32Array
}

export type OptimiserSpec =
  | { readonly kind: 'sgd'; readonly momentum: number }
  /** epsilonInside: the TensorFlow form g / sqrt(v + eps); else PyTorch's g / (sqrt(v) + eps). */
  | { readonly kind: 'rmsprop'; readonly decay: number; readonly epsilon: number; readonly epsilonInside: boolean }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | { readonly kind: 'adamw'; readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly weightDecay: number }

export interface OptimiserState {
  readonly spec: OptimiserSpec
  /** sgd: [velocity]; rmsprop: [mean square]; adam and adamw: [first, second moment]. */
  readonly moments: readonly Arena[]
  /** Steps taken (Adam's bias correction). */
  count: number
}

/** One output of the network: a head [batch, size], or a free vector [size]. */
export interface NetworkOutput {
  readonly name: string
  readonly size: number
  readonly kind: 'head' | 'vector'
}

export interface EngineNetwork {
  readonly spec: NetworkSpec
  readonly maxBatch: number
  /** Canonical slices; `parameterCount` is the sum of their lengths. */
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  readonly outputs: readonly NetworkOutput[]
  /** Canonical parameters that a model of one's own begins with; absent: they are drawn (initialise.ts). */
  readonly initial?: Float32Array
  /** A zeroed arena. Arenas of one network may be shared with the same network built in another thread on the same memory. */
  allocate(): Arena
  read(arena: Arena, canonical: Float32Array): void
  write(arena: Arena, canonical: Float32Array): void
  /** arena += canonical */
  add(arena: Arena, canonical: Float32Array): void
  /** Computes all outputs for `batch` rows of `observations` [batch, input]; 1 <= batch <= maxBatch. */
  forward(parameters: Arena, observations: Float32Array, batch: number): void
  /** Output of the last forward: [batch, size] for a head, [size] for a vector. A view that the next forward overwrites. */
  output(name: string): Float32Array
  /** Where the caller writes every element of dL/d(output) before `backward`; the same shape as `output(name)` of the last forward. A view. */
  outputGradient(name: string): Float32Array
  /** Gradient of the last forward's batch into `gradient` (overwritten). `observations` and `parameters` are those of that forward. */
  backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void
  createOptimiser(spec: OptimiserSpec): OptimiserState
  /** Clips `gradient` to `maxNorm` (global L2; null: no clipping), takes one step, returns the norm before clipping. A non-finite norm changes nothing and is returned. */
  step(optimiser: OptimiserState, parameters: Arena, gradient: Arena, learningRate: number, maxNorm: number | null): number
  dispose(): void
}

export interface EngineOptions {
  /** Kernels without relaxed or platform-dependent instructions. */
  readonly deterministic: boolean
  /** Memory to build in, shared with other threads (`wasm` only); the engine makes its own when absent. */
  readonly memory?: WebAssembly.Memory
  /**
   * 2: batches of 1024 rows or more are split over a second thread (`wasm` only). Sums are then in another order, the same in every run and on
   * every machine. Default 1.
   */
  readonly threads?: number
}

export interface Engine {
  /** 'wasm', 'wasm deterministic', 'tfjs tensorflow', 'tfjs wasm', 'tfjs cpu' */
  readonly name: string
  build(spec: NetworkSpec, maxBatch: number): EngineNetwork
}
