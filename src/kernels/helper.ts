/**
 * A second thread for large batches: it runs parts of programs (assembly/program.ts) on the same memory, with a kernel instance of its own.
 *
 * Orders pass through a block of words in the memory: the caller writes the arguments and raises ORDER; the helper works and raises DONE to the same
 * number. Both look again and again for SPINS turns, about 100 microseconds, before they sleep on an Atomic: a pass is often shorter than a wake-up.
 * The helper ends with the thread that started it.
 *
 * This module is its own worker entry, so that it means the same in the source tree and in the published package.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { GrapevineError } from '../util/errors.ts'
import { HELPER_DEADLINE_MS, HELPER_START_MS } from './limits.ts'
import { instantiate, type KernelExports, type Kernels } from './load.ts'
import type { Heap } from './memory.ts'

const SPINS = 20_000

/** Places of the words; the arguments of `run` follow ARGUMENTS. */
const ORDER = 0
const DONE = 1
const READY = 2
const ARGUMENTS = 16
const WORDS = 32

type RunArguments = Parameters<KernelExports['run']>

interface HelperData {
  readonly helper: 'kernels'
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
  /** Address of the block of words. */
  readonly control: number
}

export class Helper {
  readonly #words: Int32Array
  #orders = 0
  /** null: not yet known. */
  #alive: boolean | null = null

  constructor({ memory, module }: Kernels, heap: Heap) {
    const control = heap.allocate(WORDS * 4)
    this.#words = new Int32Array(memory.buffer, control, WORDS)
    const data: HelperData = { helper: 'kernels', memory, module, control }
    const worker = new Worker(new URL(import.meta.url), { workerData: data, name: 'kernels', stdout: false, stderr: false })
    worker.on('error', () => {
      this.#alive = false
    })
    worker.unref()
  }

  /** Whether the thread is there. The first call waits for its start, HELPER_START_MS at most: batches are split from the first on, or never. */
  get alive(): boolean {
    this.#alive ??= this.#words[READY] === 1 || Atomics.wait(this.#words, READY, 0, HELPER_START_MS) !== 'timed-out'
    return this.#alive
  }

  /** Begins `run(...args)` (program.ts) in the other thread. */
  start(...args: RunArguments): void {
    for (let i = 0; i < args.length; i++) this.#words[ARGUMENTS + i] = args[i]!
    this.#orders = (this.#orders + 1) | 0
    Atomics.store(this.#words, ORDER, this.#orders)
    Atomics.notify(this.#words, ORDER)
  }

  /** Returns when what was started is done. Throws GrapevineError `helper_lost` when that takes longer than any pass can. */
  finish(): void {
    if (reached(this.#words, DONE, this.#orders, HELPER_DEADLINE_MS)) return
    this.#alive = false
    throw new GrapevineError(
      'helper_lost',
      'local',
      `The second thread of the engine has not answered for ${HELPER_DEADLINE_MS / 1000} s; run with --threads 1 and report this.`,
    )
  }
}

/** Waits until the word has the value; false after `deadlineMs` without a change. */
function reached(words: Int32Array, place: number, value: number, deadlineMs?: number): boolean {
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, place) === value) return true
  for (;;) {
    const seen = Atomics.load(words, place)
    if (seen === value) return true
    if (Atomics.wait(words, place, seen, deadlineMs) === 'timed-out') return false
  }
}

function serve({ memory, module, control }: HelperData): never {
  const { run } = instantiate(module, memory)
  const words = new Int32Array(memory.buffer, control, WORDS)
  const args = words.subarray(ARGUMENTS, ARGUMENTS + run.length)
  Atomics.store(words, READY, 1)
  Atomics.notify(words, READY)
  for (let order = 1; ; order = (order + 1) | 0) {
    reached(words, ORDER, order)
    run(...([...args] as RunArguments))
    Atomics.store(words, DONE, order)
    Atomics.notify(words, DONE)
  }
}

if (!isMainThread && (workerData as Partial<HelperData> | null)?.helper === 'kernels') serve(workerData as HelperData)
