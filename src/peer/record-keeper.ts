/**
 * Writes the record of a run into the data folder while the daemon lives: what `grapevine report` shows. Lines are appended as things happen
 * and the file is written anew when it has grown. What cannot be written (a full disk) is told once, stops nobody, and is made good by writing
 * the whole record at a later standing. Nothing here ever rejects.
 */
import type { PeerEvent, PeerStatus } from '../observe/events.ts'
import { MAX_RECORD_GROWTH_BYTES, STANDING_EVERY_STATS } from '../observe/limits.ts'
import { type Life, type RecordedRun, RunRecord } from '../observe/run-record.ts'
import type { Clock } from '../ports/clock.ts'
import type { Storage } from '../ports/storage.ts'
import { recordOf } from '../store/records.ts'
import { messageOf } from '../util/errors.ts'
import { MAX_EARLY_EVENTS } from './limits.ts'

export interface RecordKeeperOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly warn: (code: string, message: string) => void
}

/** What a peer tells once it has a run. */
export interface RecordSource {
  readonly run: RecordedRun
  readonly incarnation: number
  readonly steps: number
  status(): PeerStatus
  /** Calls the listener at least every second while it learns. The returned function unsubscribes. */
  onProgress(listener: (steps: number, returnMean: number | null) => void): () => void
  /** Named training statistics of the last update. */
  statistics(): Readonly<Record<string, number>>
}

export class RecordKeeper {
  readonly #options: RecordKeeperOptions
  readonly #startedAtMs: number
  /** Until the run is known. */
  #early: { readonly event: PeerEvent; readonly atMs: number }[] | null = []
  #source: RecordSource | null = null
  #record = new RunRecord()
  #name = ''
  /** Seconds of the lives before. */
  #before = 0
  #pending = ''
  #grown = 0
  #stats = 0
  /** The file lacks lines: it is written whole at the next standing. */
  #behind = false
  #told = false
  #writing: Promise<void> | null = null
  #unsubscribe: () => void = () => undefined

  constructor(options: RecordKeeperOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.now()
  }

  /** Goes on with the record of the run, or begins it. */
  async begin(source: RecordSource): Promise<void> {
    const { storage, clock } = this.#options
    try {
      this.#name = await recordOf(storage, source.run.run)
      const bytes = await storage.read(this.#name)
      if (bytes !== null) this.#record = RunRecord.decode(bytes)
    } catch (error) {
      this.#failed(error)
    }
    this.#before = this.#record.seconds
    this.#source = source
    const life: Life = {
      seconds: this.#before,
      unixSeconds: clock.unixSeconds(),
      incarnation: source.incarnation,
      steps: source.steps,
    }
    this.#record.begin(source.run, life)
    this.#behind = true
    const early = this.#early ?? []
    this.#early = null
    for (const { event, atMs } of early) this.#take(event, this.#secondsAt(atMs))
    this.#unsubscribe = source.onProgress((steps, returnMean) => {
      this.#pending += this.#record.takeReturn(this.#secondsAt(clock.now()), steps, returnMean)
    })
    this.#write()
  }

  take(event: PeerEvent): void {
    const nowMs = this.#options.clock.now()
    if (this.#early === null) this.#take(event, this.#secondsAt(nowMs))
    else if (this.#early.length < MAX_EARLY_EVENTS) this.#early.push({ event, atMs: nowMs })
  }

  /** The last lines: why it ended (null: that is not known), and how the peer stood. Resolves when they are written, or could not be. */
  async end(reason: string | null): Promise<void> {
    const source = this.#source
    if (source === null) return
    this.#unsubscribe()
    const status = source.status()
    if (reason !== null) this.take({ event: 'stopped', reason, steps: status.steps })
    this.#pending += this.#record.stand(status, this.#secondsAt(this.#options.clock.now()))
    this.#source = null
    await this.#writing
    this.#write()
    await this.#writing
  }

  #secondsAt(nowMs: number): number {
    return Math.round(this.#before * 1_000 + nowMs - this.#startedAtMs) / 1_000
  }

  #take(event: PeerEvent, seconds: number): void {
    const source = this.#source
    if (source === null) return
    this.#pending += this.#record.take(event, seconds, () => source.statistics())
    if (event.event !== 'stats') return
    const stands = this.#stats++ % STANDING_EVERY_STATS === 0
    if (stands) this.#pending += this.#record.stand(source.status(), seconds)
    // While the disk is full, only now and then.
    if (!this.#behind || stands) this.#write()
  }

  /** One write at a time; what comes meanwhile goes with the next. */
  #write(): void {
    if (this.#writing !== null) return
    const whole = this.#behind || this.#grown > MAX_RECORD_GROWTH_BYTES
    const text = whole ? this.#record.lines() : this.#pending
    this.#pending = ''
    if (text === '') return
    this.#writing = this.#put(new TextEncoder().encode(text), whole).finally(() => {
      this.#writing = null
    })
  }

  async #put(bytes: Uint8Array, whole: boolean): Promise<void> {
    const { storage } = this.#options
    try {
      if (whole) await storage.write(this.#name, bytes)
      else await storage.append(this.#name, bytes)
      this.#grown = whole ? 0 : this.#grown + bytes.length
      this.#behind = false
      this.#told = false
    } catch (error) {
      this.#behind = true
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.#told) return
    this.#told = true
    const reason = messageOf(error)
    this.#options.warn(
      'record_failed',
      `What grapevine report shows of this run could not be written; training goes on, and it is tried again. ${reason}`,
    )
  }
}
