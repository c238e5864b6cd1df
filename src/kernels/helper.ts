/**
 * A second thread for large batches: it runs parts of programs (assembly/program.ts) on the same memory, with a kernel instance of its own.
 *
 * Work passes through a block of words in the memory: the caller writes the arguments and offers an order by its number in ORDER; the helper takes it
 * by changing the sign, works, and writes the number to DONE. An order that nobody has taken when the caller comes back for it, because the other
 * core is busy, is withdrawn: at worst the caller works as if alone. Both sides look again and again for SPINS turns, about 100 microseconds, before they
 * sleep on an Atomic: a pass is often shorter than a wake-up. The helper ends with the thread that started it.
 *
 * This module is its own worker entry, so that it means the same in the source tree and in the published package.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { GrapevineError } from '../util/errors.ts'
import { HELPER_DEADLINE_MS, HELPER_START_MS } from './limits.ts'
import { instantiate, type KernelExports, type Kernels } from './load.ts'
import type { Heap } from './memory.ts'

const SPINS = 20_000
/** Order numbers begin again after this one. */
const MOST_ORDERS = 1_000_000_000

/** Places of the words; the arguments of `run` begin at ARGUMENTS. ORDER: n > 0 offered, -n taken, 0 withdrawn. */
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
  #order = 0
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

  /** Offers `run(...args)` (program.ts) to the other thread. */
  start(...args: RunArguments): void {
    for (let i = 0; i < args.length; i++) this.#words[ARGUMENTS + i] = args[i]!
    this.#order = (this.#order % MOST_ORDERS) + 1
    Atomics.store(this.#words, ORDER, this.#order)
    Atomics.notify(this.#words, ORDER)
  }

  /**
   * true: what was offered is done. false: nobody had begun, nobody will, and it is the caller's to run.
   * Throws GrapevineError `helper_lost` when the other thread has begun and takes longer than any pass can.
   */
  finish(): boolean {
    const words = this.#words
    const order = this.#order
    if (Atomics.compareExchange(words, ORDER, order, 0) === order) return false
    if (awaitWord(words, DONE, (value) => value === order, HELPER_DEADLINE_MS)) return true
    this.#alive = false
    throw new GrapevineError(
      'helper_lost',
      'local',
      `The second thread of the engine has not answered for ${HELPER_DEADLINE_MS / 1000} s; run with --threads 1 and report this.`,
    )
  }
}

/** Waits until `good` holds of the word; false after `deadlineMs` without a change. */
function awaitWord(words: Int32Array, place: number, good: (value: number) => boolean, deadlineMs?: number): boolean {
  for (let i = 0; i < SPINS; i++) if (good(Atomics.load(words, place))) return true
  for (;;) {
    const seen = Atomics.load(words, place)
    if (good(seen)) return true
    if (Atomics.wait(words, place, seen, deadlineMs) === 'timed-out') return false
  }
}

function serve({ memory, module, control }: HelperData): never {
  const { run } = instantiate(module, memory)
  const words = new Int32Array(memory.buffer, control, WORDS)
  const args = words.subarray(ARGUMENTS, ARGUMENTS + run.length)
  Atomics.store(words, READY, 1)
  Atomics.notify(words, READY)
  const offered = (value: number) => value > 0
  for (;;) {
    awaitWord(words, ORDER, offered)
    const order = Atomics.load(words, ORDER)
    if (order <= 0 || Atomics.compareExchange(words, ORDER, order, -order) !== order) continue
    run(...([...args] as RunArguments))
    Atomics.store(words, DONE, order)
    Atomics.notify(words, DONE)
  }
}

if (!isMainThread && (workerData as Partial<HelperData> | null)?.helper === 'kernels') serve(workerData as HelperData)
