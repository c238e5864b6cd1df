/**
 * The record of a run in the data folder of one of its peers: what a report shows of the time behind it. It spans all lives of the daemon that
 * belong to the run, in constant memory: curves lose every second point when they are full, lists keep the latest.
 *
 * On disk a record is lines of JSON. Each line that is added says what happened; `lines()` is the whole record anew, no longer than
 * MAX_RECORD_BYTES or so. Reading takes what it understands and counts the rest: a crash may have torn a line.
 */
import { z } from 'zod'
import type { PeerEvent, PeerStatus } from './events.ts'
import { keep, Mean, MixMeans, type Point, pointOf } from './http/history.ts'
import {
  MAX_POINTS,
  MAX_RECORD_BYTES,
  MAX_RECORDED_EVALUATIONS,
  MAX_RECORDED_EVENTS,
  MAX_RECORDED_LIVES,
  MAX_RECORDED_MIXES,
  MAX_RECORDED_PEERS,
  MAX_RECORDED_TEXT,
} from './limits.ts'
import { Spaced } from './spaced.ts'

/** One start of the daemon. Times of the record are seconds of running: those of all lives, one after the other. */
export interface Life {
  readonly seconds: number
  readonly unixSeconds: number
  readonly incarnation: number
  /** Environment steps of this peer at the start. */
  readonly steps: number
}

/** What a run is, as it was when its daemon last started; plain JSON without secrets. */
export interface RecordedRun {
  readonly peer: string
  readonly run: string
  /** Of the program. */
  readonly version: string
  readonly manifest: unknown
  readonly settings: unknown
}

export interface RecordedPoint extends Point {
  /** Snapshots mixed since the point before, and the mean of their distances. */
  readonly mixes: number
  readonly mixDistance: number | null
}

/** Told ten times a second while it is new: a small task is learned between two points. */
export interface RecordedReturn {
  readonly seconds: number
  readonly steps: number
  /** Of the last 100 training episodes. */
  readonly returnMean: number
}

export interface Recorded<Event = PeerEvent> {
  readonly seconds: number
  readonly event: Event
}

type Named<Name extends PeerEvent['event']> = Extract<PeerEvent, { event: Name }>

/** How the peer stood: its status with the peers of the most mixes only, how many it knew in all, and what it mixed last. */
export interface Standing {
  readonly seconds: number
  readonly status: PeerStatus
  readonly peersKnown: number
  readonly mixes: readonly Recorded<Named<'mix'>>[]
}

/** Events of the swarm's life and of trouble have lists of their own, so that a flood of one leaves the other readable. */
const SWARM = ['joined', 'served', 'peer'] as const
const TROUBLE = ['warning', 'error', 'refused'] as const
const OUTCOMES = ['solved', 'stopped'] as const

const line = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), peer: z.string(), run: z.string(), version: z.string(), manifest: z.json(), settings: z.json() }),
  z.object({ kind: z.literal('life'), seconds: z.number(), unixSeconds: z.number(), incarnation: z.number(), steps: z.number() }),
  z
    .object({ kind: z.literal('point'), seconds: z.number(), steps: z.number(), statistics: z.record(z.string(), z.number().nullable()) })
    .loose(),
  z.object({ kind: z.literal('return'), seconds: z.number(), steps: z.number(), returnMean: z.number() }),
  z.object({ kind: z.literal('event'), seconds: z.number(), event: z.object({ event: z.string() }).loose() }),
  z.object({
    kind: z.literal('standing'),
    seconds: z.number(),
    peersKnown: z.number(),
    status: z
      .object({ peer: z.string(), counters: z.record(z.string(), z.number()), peers: z.array(z.object({ id: z.string() }).loose()) })
      .loose(),
    mixes: z.array(z.object({ seconds: z.number() }).loose()),
  }),
])

export class RunRecord {
  readonly curves = new Spaced<RecordedPoint>(MAX_POINTS)
  readonly returns = new Spaced<RecordedReturn>(MAX_POINTS)
  readonly evaluations = new Spaced<Recorded<Named<'evaluation'>>>(MAX_RECORDED_EVALUATIONS)
  readonly swarm: Recorded[] = []
  readonly trouble: Recorded[] = []
  readonly outcomes: Recorded[] = []
  readonly lives: Life[] = []
  run: RecordedRun | null = null
  standing: Standing | null = null
  /** Lines that could not be understood. */
  damaged = 0
  /** The best evaluation so far. */
  best: Recorded<Named<'evaluation'>> | null = null
  readonly #mixes: Recorded<Named<'mix'>>[] = []
  /** Of the mixes since the last point. */
  readonly #mixMeans = new MixMeans()
  #distances = new Mean()
  #mixCount = 0

  /** The record in a file; of one that somebody else made longer than MAX_RECORD_BYTES, the end. */
  static decode(bytes: Uint8Array): RunRecord {
    return RunRecord.parse(new TextDecoder().decode(bytes.subarray(-MAX_RECORD_BYTES)))
  }

  /** The record in `text`, as far as it can be read. */
  static parse(text: string): RunRecord {
    const record = new RunRecord()
    for (const row of text.split('\n')) if (row !== '') record.#read(row)
    return record
  }

  /** Seconds of running so far, of all lives. */
  get seconds(): number {
    return Math.max(0, ...[this.curves.points.at(-1), this.lives.at(-1), this.standing, this.outcomes.at(-1)].map((at) => at?.seconds ?? 0))
  }

  /** Begins a life of the daemon, which all lines tell from then on. */
  begin(run: RecordedRun, life: Life): void {
    this.#add({ kind: 'run', ...run })
    this.#add({ kind: 'life', ...life })
  }

  /** Takes an event at `seconds`; `statistics` of training go with `stats`. Returns the line to add, or none. */
  take(event: PeerEvent, seconds: number, statistics: () => Readonly<Record<string, number>>): string {
    switch (event.event) {
      case 'stats':
        return this.#takePoint(event, seconds, statistics())
      case 'mix':
        this.#mixCount++
        this.#mixMeans.add(event)
        this.#distances.add(event.distance)
        keep(this.#mixes, { seconds, event }, MAX_RECORDED_MIXES)
        return ''
      case 'warning':
      case 'error':
        return this.#add({ kind: 'event', seconds, event: { ...event, message: event.message.slice(0, MAX_RECORDED_TEXT) } })
      case 'listening':
      case 'checkpoint':
        return ''
      default:
        return this.#add({ kind: 'event', seconds, event })
    }
  }

  /** Takes how well training goes; null: no episode has ended yet. Returns the line to add, or none. */
  takeReturn(seconds: number, steps: number, returnMean: number | null): string {
    if (returnMean === null || !this.returns.wants(seconds)) return ''
    return this.#add({ kind: 'return', seconds, steps, returnMean })
  }

  /** How the peer stands now, with the peers that count. */
  stand(status: PeerStatus, seconds: number): string {
    const peers = [...status.peers].sort((a, b) => b.mixes - a.mixes || b.refused - a.refused).slice(0, MAX_RECORDED_PEERS)
    return this.#add({ kind: 'standing', seconds, peersKnown: status.peers.length, status: { ...status, peers }, mixes: this.#mixes })
  }

  /** The whole record. */
  lines(): string {
    const events = [...this.swarm, ...this.trouble, ...this.outcomes, ...this.evaluations.points]
    if (this.best !== null && !this.evaluations.points.includes(this.best)) events.push(this.best)
    return [
      ...(this.run === null ? [] : [{ kind: 'run', ...this.run }]),
      ...this.lives.map((life) => ({ kind: 'life', ...life })),
      ...this.returns.points.map((point) => ({ kind: 'return', ...point })),
      ...this.curves.points.map((point) => ({ kind: 'point', ...point })),
      ...events.map((recorded) => ({ kind: 'event', ...recorded })),
      ...(this.standing === null ? [] : [{ kind: 'standing', ...this.standing }]),
    ]
      .map((value) => this.#text(value))
      .join('')
  }

  #takePoint(event: Named<'stats'>, seconds: number, statistics: Readonly<Record<string, number>>): string {
    if (!this.curves.wants(seconds)) return ''
    const [mixes, mixDistance] = [this.#mixCount, this.#distances.value]
    this.#mixCount = 0
    this.#distances = new Mean()
    return this.#add({ kind: 'point', ...pointOf(event, seconds, this.#mixMeans.take(), statistics), mixes, mixDistance })
  }

  /** Takes in what a line says; returns the line. */
  #add(value: { readonly kind: string; readonly [name: string]: unknown }): string {
    this.#apply(value as z.infer<typeof line>)
    return this.#text(value)
  }

  #text(value: unknown): string {
    return `${JSON.stringify(value)}\n`
  }

  #read(row: string): void {
    let value: unknown
    try {
      value = JSON.parse(row)
    } catch {
      this.damaged++
      return
    }
    const parsed = line.safeParse(value)
    if (parsed.success) this.#apply(parsed.data)
    else this.damaged++
  }

  #apply(value: z.infer<typeof line>): void {
    switch (value.kind) {
      case 'run': {
        const { kind: _, ...run } = value
        this.run = run
        break
      }
      case 'life': {
        const { kind: _, ...life } = value
        keep(this.lives, life, MAX_RECORDED_LIVES)
        break
      }
      case 'point': {
        const { kind: _, ...point } = value
        this.curves.add(point as unknown as RecordedPoint)
        break
      }
      case 'return': {
        const { kind: _, ...point } = value
        this.returns.add(point)
        break
      }
      case 'standing': {
        const { kind: _, ...standing } = value
        this.standing = standing as unknown as Standing
        break
      }
      case 'event':
        this.#file(value as unknown as Recorded)
    }
  }

  #file(recorded: Recorded): void {
    const { event } = recorded
    if (event.event === 'evaluation') {
      const evaluation = { ...recorded, event }
      if ((event.deterministic ?? -Infinity) > (this.best?.event.deterministic ?? -Infinity)) this.best = evaluation
      this.evaluations.add(evaluation)
    } else if (among(SWARM, event.event)) keep(this.swarm, recorded, MAX_RECORDED_EVENTS)
    else if (among(TROUBLE, event.event)) keep(this.trouble, recorded, MAX_RECORDED_EVENTS)
    else if (among(OUTCOMES, event.event)) keep(this.outcomes, recorded, MAX_RECORDED_EVENTS)
    else this.damaged++
  }
}

function among(names: readonly string[], name: string): boolean {
  return names.includes(name)
}
