/**
 * The calling side of a bridged environment: synchronous requests to a thread that owns the Python children. The caller sleeps on an Atomic
 * until the answer lies in shared memory; a step may be begun before, and goes on while the caller does other things; a thread that stays silent beyond every deadline of its children throws `bridge_lost`.
 * Python starts with the first reset. `close` leaves neither child nor thread behind; an exit without it takes them along.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { GrapevineError } from '../../util/errors.ts'
import { CLOSE_GRACE_MS, THREAD_START_TIMEOUT_MS, WORKER_GRACE_MS } from './limits.ts'
import {
  ANSWERED,
  type BridgeNotice,
  type BridgePlan,
  type BridgeRequest,
  type BridgeThreadData,
  currentSlot,
  FAILED,
  type LanePlan,
  PULSE,
  RESTARTS,
} from './plan.ts'
import { WORKER } from './script.ts'

/** What one lane answered, as views of shared memory: [n], [n], [n], [n, d], and [k, d] of the k rows that ended. */
export interface LaneAnswer {
  readonly first: number
  readonly count: number
  readonly width: number
  readonly rewards: Float64Array
  readonly terminated: Uint8Array
  readonly truncated: Uint8Array
  readonly observations: Float32Array | Uint8Array
  readonly finals: Float32Array | Uint8Array
}

let restarts = 0

/** Python children that were started again so far, in all bridged environments of this thread. */
export function bridgeRestarts(): number {
  return restarts
}

export class Bridge {
  /** Where the actions of the next step go: Int32Array [n] of a discrete space, Float32Array [n, a] of a box. */
  readonly actions: Int32Array | Float32Array
  readonly #plan: BridgePlan
  readonly #answers: readonly (readonly [LaneAnswer, LaneAnswer])[]
  readonly #patienceMs: number
  #thread: Thread | null = null
  #requests = 0
  /** A step that was begun and whose answer nobody has waited for yet. */
  #begun: Asked | null = null
  /** Why no request is taken any more. */
  #over: GrapevineError | null = null

  constructor(plan: BridgePlan) {
    const { lanes, shared, description, options } = plan
    this.#plan = plan
    const numbers = (plan.count * plan.actionBytesPerRow) / 4
    this.actions = description.action.kind === 'discrete' ? new Int32Array(shared, 0, numbers) : new Float32Array(shared, 0, numbers)
    this.#answers = lanes.map((lane) => [answerOf(plan, lane, 0), answerOf(plan, lane, 1)])
    this.#patienceMs = Math.max(options.startTimeoutMs, options.stepTimeoutMs) + CLOSE_GRACE_MS + WORKER_GRACE_MS
  }

  /** Begins episodes in the flagged rows (null: all); row i is seeded with `seed` + i (null: its stream goes on). */
  reset(seed: number | null, flags: Uint8Array | null, options = ''): void {
    if (seed !== null && (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(seed + this.#plan.count)))
      throw new GrapevineError('seed', 'local', `A seed must be an integer from 0 to 2^53 - 1, but it is ${seed}.`, { seed })
    this.#ask({ seed, flags, options })
  }

  /** Begins a step of every row with `actions`, which stay as they are until `step`. */
  begin(): void {
    this.#begun ??= this.#send('step')
  }

  /** Whether a step has begun. */
  get stepping(): boolean {
    return this.#begun !== null
  }

  /** The step of every row with `actions` that was begun, or one that begins now. */
  step(): void {
    const asked = this.#begun ?? this.#send('step')
    this.#begun = null
    this.#receive(asked)
  }

  /** What the lane answered last; valid until the next request. */
  answer(lane: number): LaneAnswer {
    return this.#answers[lane]![currentSlot(this.#plan, lane)]
  }

  get lanes(): number {
    return this.#answers.length
  }

  /** Ends children and thread, in the middle of a step, too; they have CLOSE_GRACE_MS. Any further request throws `closed`. */
  close(): void {
    this.#begun = null
    if (this.#over === null && this.#thread !== null) this.#tryClose()
    this.#over ??= new GrapevineError('closed', 'local', `${this.#plan.id} was closed and takes no more calls; make it again.`)
    this.#thread?.worker.terminate()
    this.#thread = null
  }

  #tryClose(): void {
    try {
      this.#ask('close')
    } catch (error) {
      // What could not be ended in peace ends with its thread.
      if (!(error instanceof GrapevineError)) throw error
    }
  }

  #ask(request: BridgeRequest): void {
    if (this.#begun !== null) this.step()
    this.#receive(this.#send(request))
  }

  #send(request: BridgeRequest): Asked {
    if (this.#over !== null) throw this.#over
    this.#thread ??= this.#start()
    const restartsBefore = Atomics.load(this.#plan.control, RESTARTS)
    const number = ++this.#requests | 0
    this.#thread.port.postMessage(request)
    return { number, restartsBefore }
  }

  /** Waits for the answer. */
  #receive({ number, restartsBefore }: Asked): void {
    const { control } = this.#plan
    for (;;) {
      const pulse = Atomics.load(control, PULSE)
      if (Atomics.load(control, ANSWERED) === number) break
      this.#awaitPulse(pulse, this.#patienceMs)
    }
    if (Atomics.load(control, RESTARTS) === restartsBefore && Atomics.load(control, FAILED) === 0) return
    const failure = this.#readNotices()
    if (failure !== null) throw this.#giveUp(failure)
  }

  #start(): Thread {
    this.#thread = startThread(this.#plan)
    this.#awaitPulse(0, THREAD_START_TIMEOUT_MS)
    return this.#thread
  }

  /** Sleeps until the word PULSE is another than `pulse`. */
  #awaitPulse(pulse: number, timeoutMs: number): void {
    if (Atomics.wait(this.#plan.control, PULSE, pulse, timeoutMs) === 'timed-out') throw this.#giveUp(lost(this.#plan.id, timeoutMs))
  }

  /** Tells of every restart; returns the failure, if there is one. */
  #readNotices(): GrapevineError | null {
    const { port } = this.#thread!
    for (let packet = receiveMessageOnPort(port); packet !== undefined; packet = receiveMessageOnPort(port)) {
      const notice = packet.message as BridgeNotice
      if (notice.kind === 'failed') return new GrapevineError(notice.code, 'local', notice.message, notice.data)
      restarts++
      process.emitWarning(notice.message, { type: 'Bridge', code: 'bridge_restart' })
    }
    return null
  }

  #giveUp(error: GrapevineError): GrapevineError {
    if (error.code !== 'bridge_lost') this.#tryClose()
    this.#over = error
    this.close()
    return error
  }
}

/** A request under way: its number, and how many restarts there had been. */
interface Asked {
  readonly number: number
  readonly restartsBefore: number
}

interface Thread {
  readonly worker: Worker
  readonly port: MessagePort
}

function startThread(plan: BridgePlan): Thread {
  const { port1, port2 } = new MessageChannel()
  const data: BridgeThreadData = { plan, port: port2 }
  // Arguments of the process, such as --eval, would keep the thread from starting.
  const worker = new Worker(WORKER, { workerData: data, transferList: [port2], name: 'environment bridge', execArgv: [] })
  // The caller is told of its end by its own deadline; unheard, an error would end the process.
  worker.on('error', () => undefined)
  // Neither keeps a process alive that forgot to close its environment.
  worker.unref()
  port1.unref()
  return { worker, port: port1 }
}

function answerOf({ shared }: BridgePlan, { first, layout, slots }: LanePlan, slot: 0 | 1): LaneAnswer {
  const at = slots[slot]
  const { count, width, type } = layout
  const view = (from: number) =>
    type === 'u8' ? new Uint8Array(shared, at + from, count * width) : new Float32Array(shared, at + from, count * width)
  return {
    first,
    count,
    width,
    rewards: new Float64Array(shared, at, count),
    terminated: new Uint8Array(shared, at + layout.terminatedAt, count),
    truncated: new Uint8Array(shared, at + layout.truncatedAt, count),
    observations: view(layout.observationsAt),
    finals: view(layout.finalsAt),
  }
}

function lost(id: string, patienceMs: number): GrapevineError {
  return new GrapevineError(
    'bridge_lost',
    'local',
    `The thread that steps ${id} was silent for ${patienceMs} ms, longer than any child may take; this is a fault of the program or too little memory.`,
    { id },
  )
}
