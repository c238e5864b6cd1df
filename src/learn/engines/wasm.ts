/**
 * The wasm engine: fused SIMD kernels on a shared memory.
 *
 * Threads share arenas by address: `network.address(arena)` is a plain number, and `network.attach(address)` makes it an arena again in a thread
 * that has built the same network on the same memory (`engine.memory`). Everything else of a network belongs to its thread.
 *
 * Without relaxed SIMD on this machine the engine falls back to the deterministic kernels; its `name` says so.
 */

import { Helper } from '../../kernels/helper.ts'
import type { KernelBuild } from '../../kernels/load.ts'
import { createMemory, Heap } from '../../kernels/memory.ts'
import type { NetworkSpec } from '../../ports/learner.ts'
import type { Engine, EngineOptions } from '../engine.ts'
import { requireLayers } from '../layout.ts'
import { chooseKernels } from './wasm-builds.ts'
import { KernelNetwork, type WasmNetwork } from './wasm-network.ts'

export interface WasmEngine extends Engine {
  readonly memory: WebAssembly.Memory
  /** Which build of the kernels runs: the fastest here of those that `deterministic` allows. */
  readonly kernels: KernelBuild
  build(spec: NetworkSpec, maxBatch: number): WasmNetwork
}

export interface WasmEngineOptions extends EngineOptions {
  /** Instead of the fastest build, for tests and benchmarks. */
  readonly kernels?: KernelBuild
}

/** Throws GrapevineError `kernels_missing` when the kernels were never built, `no_simd` when this machine runs none of them. */
export function createWasmEngine(options: WasmEngineOptions): WasmEngine {
  const memory = options.memory ?? createMemory()
  const { kernels, relaxed } = chooseKernels(memory, options)
  const heap = new Heap(memory)
  let second: Helper | null = null
  // Started for the first network that is large enough to have work for it.
  const helper = (options.threads ?? 1) > 1 ? () => (second ??= new Helper(kernels, heap)) : null
  return {
    name: relaxed ? 'wasm' : 'wasm deterministic',
    memory,
    kernels: kernels.build,
    build: (spec, maxBatch) => {
      requireLayers(spec, 'the engine wasm', 'use --engine tfjs')
      return new KernelNetwork(spec, maxBatch, kernels, heap, helper)
    },
  }
}
