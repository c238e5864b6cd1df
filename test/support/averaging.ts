/** Processes that average over the real network and do not learn (averaging-process.ts), started and told what to do from here. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { floatsOf } from './averaging-values.ts'

export interface Start {
  readonly index: number
  readonly dimension: number
  /** Of `grapevine start`. */
  readonly flags: Readonly<Record<string, unknown>>
}

export type Order =
  /** Who takes part, and whom to dial. */
  | { readonly do: 'meet'; readonly view: readonly string[]; readonly dial: readonly string[] }
  /** Waits until gossip flows from everybody. */
  | { readonly do: 'hear' }
  /** New independent values. */
  | { readonly do: 'adopt'; readonly seed: number }
  /** One round. `together`: everybody makes it at once. */
  | { readonly do: 'round'; readonly partner?: string; readonly together?: boolean }
  /** As many rounds as others have made already: partner rules go by them. */
  | { readonly do: 'catchUp'; readonly rounds: number }
  /** New independent values; answers with a sample of them. */
  | { readonly do: 'start'; readonly seed: number }
  /** The mean of everybody's samples for an aim. */
  | { readonly do: 'aim'; readonly starts: readonly string[] }
  /** Rounds from `startMs` on, one after the other, until there are `atMost` or somebody says that it is enough. */
  | { readonly do: 'rounds'; readonly startMs: number; readonly atMost: number }
  | { readonly do: 'enough' }
  | { readonly do: 'values' }
  | { readonly do: 'report' }
  /** Tells (`told`) when so many more bytes have come in. */
  | { readonly do: 'tellBytes'; readonly bytes: number }
  | { readonly do: 'stop' }

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string }

export interface Report {
  readonly counters: Readonly<Record<string, number>>
  /** Since the last report. */
  readonly mixes: readonly { readonly with: string; readonly atMs: number }[]
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Squared distance from the aim, at the sampled coordinates, and the processor time since the first look. */
export interface Look {
  readonly atMs: number
  readonly cpuMs: number
  readonly squared: number
}

/** Answers of this name are looks, told as they are made. */
export const LOOKED = -3

export interface AveragingProcess {
  readonly index: number
  readonly peer: string
  readonly addresses: readonly string[]
  readonly run: string
  readonly child: ChildProcess
  tell<T = unknown>(order: Order): Promise<T>
  values(): Promise<Float32Array>
  /** Is told of every look. */
  onLook: (look: Look) => void
  /** Settles when the bytes of `tellBytes` are in. */
  readonly told: Promise<void>
  /** At once, without a word. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startAveraging(start: Start): Promise<AveragingProcess> {
  const child = fork(join(import.meta.dirname, 'averaging-process.ts'), [JSON.stringify(start)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const ready = Promise.withResolvers<unknown>()
  const told = Promise.withResolvers<void>()
  asked.set(-1, ready)
  asked.set(-2, { resolve: () => told.resolve(), reject: told.reject })
  told.promise.catch(() => undefined)
  child.on('message', (answer: Answer) => {
    if (answer.id === LOOKED && 'value' in answer) {
      started.onLook(answer.value as Look)
      return
    }
    const waiting = asked.get(answer.id)
    asked.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.value)
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void gone.then(() => {
    for (const { reject } of asked.values()) reject(new Error(`process ${start.index} is gone`))
  })
  let next = 0
  const tell = <T>(order: Order): Promise<T> => {
    const id = next++
    return new Promise<T>((resolve, reject) => {
      asked.set(id, { resolve: resolve as (value: unknown) => void, reject })
      child.send({ ...order, id })
    })
  }
  const { peer, addresses, run } = (await ready.promise) as { peer: string; addresses: readonly string[]; run: string }
  const started: AveragingProcess = {
    index: start.index,
    peer,
    addresses,
    run,
    child,
    tell,
    values: async () => floatsOf(await tell<string>({ do: 'values' })),
    onLook: () => undefined,
    told: told.promise,
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
    stop: async () => {
      await tell({ do: 'stop' })
      await gone
    },
  }
  return started
}

/** All connected to all, with one view. */
export async function meet(processes: readonly AveragingProcess[]): Promise<void> {
  const view = processes.map(({ peer }) => peer)
  for (const [i, process] of processes.entries()) {
    await process.tell({ do: 'meet', view, dial: processes.slice(0, i).map(({ addresses }) => addresses[0]!) })
  }
  await Promise.all(processes.map((process) => process.tell({ do: 'hear' })))
}
