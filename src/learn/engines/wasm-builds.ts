/**
 * Which build of the kernels a machine gets. The wide build is compiled by an experimental pass of V8, so it is used only where it gives the
 * same bits as the deterministic build on a network that touches every kernel; and any build only where it is the fastest.
 */
import { type KernelBuild, type Kernels, loadKernels } from '../../kernels/load.ts'
import { createMemory, Heap } from '../../kernels/memory.ts'
import { kernelRanking, setKernelRanking } from '../../kernels/ranking.ts'
import { fastestOfEach } from '../../kernels/timing.ts'
import type { NetworkSpec } from '../../ports/learner.ts'
import { GrapevineError } from '../../util/errors.ts'
import { seededRandom } from '../../util/random.ts'
import { KernelNetwork } from './wasm-network.ts'

/** Rows of the probe: full tiles and a rest. */
const PROBE_ROWS = 21
/** Runs of the probe that are timed. */
const PROBE_RUNS = 20
/** The wide build takes 0.6 of the time of others where it works and 1.5 where it does not: what lies between is noise, and then it is not taken. */
const WIDE_HANDICAP = 1.2

const probe: NetworkSpec = {
  input: [9, 8, 3],
  torso: [
    { kind: 'conv', filters: 16, kernel: 3, stride: 1, activation: 'relu' },
    { kind: 'conv', filters: 24, kernel: 3, stride: 2, activation: 'silu' },
    { kind: 'layerNorm' },
    { kind: 'dense', units: 72, activation: 'tanh' },
  ],
  heads: [
    { name: 'a', layers: [{ kind: 'dense', units: 24, activation: 'relu' }], size: 5, gain: 1 },
    { name: 'b', layers: [], size: 19, gain: 1 },
    { name: 'c', layers: [{ kind: 'dense', units: 9, activation: 'silu' }], size: 1, gain: 1 },
  ],
  vectors: [],
}

/** `relaxed`: results may differ in the last bit from those of other machines, because that was allowed and the machine has the means. */
export function chooseKernels(
  memory: WebAssembly.Memory,
  options: { readonly deterministic: boolean; readonly kernels?: KernelBuild },
): { readonly kernels: Kernels; readonly relaxed: boolean } {
  const ranking = rankKernels()
  const allowed = options.deterministic ? ranking.filter((build) => build !== 'relaxed') : ranking
  const build = options.kernels ?? allowed[0]
  const kernels = build === undefined ? null : loadKernels(memory, build)
  if (kernels === null) {
    throw new GrapevineError('no_simd', 'local', 'This machine runs no WebAssembly SIMD; use Node 22 or newer on a 64-bit processor.')
  }
  return { kernels, relaxed: !options.deterministic && ranking.includes('relaxed') }
}

/** Measures the builds, unless some thread of this process has. */
export function rankKernels(): readonly KernelBuild[] {
  return kernelRanking() ?? setKernelRanking(rank())
}

function rank(): readonly KernelBuild[] {
  const probes = (['relaxed', 'deterministic', 'wide'] as const).map(prepare).filter((found) => found !== null)
  const reference = probes.find(({ build }) => build === 'deterministic')
  const right = probes.filter(({ build, bits }) => build !== 'wide' || (reference !== undefined && equal(bits, reference.bits)))
  const milliseconds = fastestOfEach(
    PROBE_RUNS,
    right.map(({ pass }) => pass),
  )
  return right
    .map(({ build }, i) => ({ build, milliseconds: milliseconds[i]! * (build === 'wide' ? WIDE_HANDICAP : 1) }))
    .sort((a, b) => a.milliseconds - b.milliseconds)
    .map(({ build }) => build)
}

/** A forward and backward pass of the probe network, and, as bits, everything that it computes in that and in optimiser steps. */
function prepare(
  build: KernelBuild,
): { readonly build: KernelBuild; readonly bits: readonly Uint32Array[]; readonly pass: () => void } | null {
  const memory = createMemory()
  const kernels = loadKernels(memory, build)
  if (kernels === null) return null
  const network = new KernelNetwork(probe, PROBE_ROWS, kernels, new Heap(memory))
  const random = seededRandom('probe')
  const numbers = (length: number) => Float32Array.from({ length }, () => 2 * random.uniform() - 1)
  const parameters = network.allocate()
  const gradient = network.allocate()
  const values = numbers(network.parameterCount)
  // ReLUs that no row switches on are left out of the way back, by kernels of their own.
  const silent = network.slices.find(({ name }) => name === 'a/dense1/bias')!
  values.fill(-100, silent.offset, silent.offset + silent.length / 2)
  network.write(parameters, values)
  const observations = numbers(PROBE_ROWS * probe.input.reduce((product, length) => product * length, 1))
  const adam = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-5 })
  const rmsprop = network.createOptimiser({ kind: 'rmsprop', decay: 0.9, epsilon: 1e-5, epsilonInside: false })
  const sgd = network.createOptimiser({ kind: 'sgd', momentum: 0.9 })
  const pass = () => {
    network.forward(parameters, observations, PROBE_ROWS)
    for (const { name } of network.outputs) network.outputGradient(name).set(network.output(name))
    network.backward(parameters, observations, PROBE_ROWS, gradient)
  }
  pass()
  const seen = [...network.outputs.map(({ name }) => new Float32Array(network.output(name))), new Float32Array(gradient.data)]
  for (const optimiser of [adam, rmsprop, sgd, adam]) network.step(optimiser, parameters, gradient, 1e-3, 1)
  seen.push(...[parameters, ...adam.moments, ...rmsprop.moments, ...sgd.moments].map(({ data }) => new Float32Array(data)))
  const bits = seen.map((values) => new Uint32Array(values.buffer))
  return { build, bits, pass }
}

function equal(a: readonly Uint32Array[], b: readonly Uint32Array[]): boolean {
  return a.every((words, part) => words.every((word, i) => word === b[part]![i]))
}
