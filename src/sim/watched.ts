/**
 * A simulated swarm as the dashboard sees it: the founder is "this peer", and what it could not know of the others in a real swarm is read from
 * them. It only reads: a simulation that is watched is the same bit for bit, whenever somebody looks.
 */
import type { PeerEvent, PeerStatus } from '../observe/events.ts'
import type { Link, Observed } from '../observe/http/source.ts'
import { learnerSettings } from '../peer/run.ts'
import type { PeerSettings } from '../peer/settings.ts'
import { peerStatus } from '../peer/status.ts'
import type { LearnerSettings, Replica } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { FaultRecord } from './faults.ts'
import { MAX_WATCHED_MIXES } from './limits.ts'
import type { SimulatedNode } from './node.ts'
import type { Curves } from './recorder.ts'
import type { NodeEvent } from './simulate.ts'

type Row = PeerStatus['peers'][number]

/** What of the real world a page needs. */
export interface Onlooker {
  /** Milliseconds of a real, monotonic clock. */
  readonly now: () => number
  /** What the simulation was told, for the page to list. */
  readonly settings: unknown
  /** Lets the founder's policy play in real time; the returned function ends it. */
  readonly play: (
    settings: LearnerSettings,
    replica: () => Promise<Replica>,
    show: Parameters<NonNullable<Observed['watch']>>[0],
    failed: (message: string) => void,
  ) => () => void
  /** The end was asked for. */
  readonly stop: () => void
}

export class WatchedSwarm implements Observed {
  readonly facts: Observed['facts']
  readonly commands: Observed['commands']
  readonly watch: Observed['watch']
  readonly #nodes: readonly SimulatedNode[]
  readonly #onlooker: Onlooker
  readonly #listeners = new Set<(event: PeerEvent) => void>()
  readonly #startedAtMs: number
  /** Since the last figures went out: who mixed with whom, and mixes of the founder that were shown. */
  #mixed = new Map<string, Link>()
  #shown = 0
  #links: readonly Link[] = []
  #told: { readonly atMs: number; readonly steps: number } | null = null
  #stepsPerSecond: number | null = null
  #distance: number | null = null
  /** The founder as it last stood, while it is down. */
  #last: PeerStatus | null = null
  #pause: PromiseWithResolvers<void> | null = null
  #over = false

  constructor(nodes: readonly SimulatedNode[], settings: PeerSettings, onlooker: Onlooker) {
    this.#nodes = nodes
    this.#onlooker = onlooker
    this.#startedAtMs = onlooker.now()
    const founder = nodes[0]!
    const { manifest } = founder.run!
    this.facts = { manifest, settings: onlooker.settings }
    this.commands = {
      pause: () => {
        this.#pause ??= Promise.withResolvers()
      },
      resume: () => this.goOn(),
      stop: () => {
        this.goOn()
        onlooker.stop()
      },
    }
    const learner = learnerSettings(manifest, settings, founder.id)
    this.watch = (show, failed) => onlooker.play(learner, () => this.#replica(), show, failed)
  }

  /** Held between two rounds; null: it goes on. */
  get held(): Promise<void> | null {
    return this.#pause?.promise ?? null
  }

  goOn(): void {
    this.#pause?.resolve()
    this.#pause = null
  }

  status(): PeerStatus {
    const [founder, ...others] = this.#nodes
    const { peer, network } = founder!
    if (peer !== null && network !== null && !this.#over) {
      const own = peerStatus(peer, { network, clock: founder!.clock }, this.#onlooker.now() - this.#startedAtMs)
      this.#last = {
        ...own,
        stepsPerSecond: this.#stepsPerSecond,
        consensusDistance: this.#distance,
        peers: others.map((node) => rowOf(node, own)),
      }
    }
    if (this.#last === null) throw new GrapevineError('not_running', 'local', 'The simulation has not begun.')
    return { ...this.#last, paused: this.#pause !== null }
  }

  statistics(): Readonly<Record<string, number>> {
    return this.#over ? {} : (this.#nodes[0]!.learner?.progress().statistics ?? {})
  }

  learnerCpuMs(): null {
    return null
  }

  invitation(): null {
    return null
  }

  readonly links = (): readonly Link[] => this.#links

  on(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What a peer tells. Mixes come by the thousand in a second: a part of the founder's is shown, and the others' as lines. */
  take({ node, seconds: _, ...event }: NodeEvent): void {
    if (event.event === 'mix') {
      const [a, b] = [this.#nodes[node]!.id, event.with]
      this.#mixed.set(a < b ? `${a} ${b}` : `${b} ${a}`, { a, b })
      if (node !== 0 || this.#shown++ >= MAX_WATCHED_MIXES) return
    } else if (node !== 0 || event.event === 'stats') return
    this.#tell(event as PeerEvent)
  }

  fault(record: FaultRecord): void {
    const peers = record.peers.length === 0 ? '' : ` peers ${record.peers.join(', ')}`
    this.#tell({ event: 'warning', code: 'fault', message: `At ${record.seconds.toFixed(1)} s of the simulation: ${record.do}${peers}.` })
  }

  /** Figures of the founder after a round, the distance exact; at most once in `periodMs` of real time. */
  round(curves: Curves, periodMs: number): void {
    const nowMs = this.#onlooker.now()
    if (this.#told !== null && nowMs - this.#told.atMs < periodMs) return
    this.#distance = curves.consensusDistance.at(-1) ?? null
    const { learner, network } = this.#nodes[0]!
    if (learner === null || network === null) return
    const { steps, updates, returnMean, episodes } = learner.progress()
    this.#stepsPerSecond = this.#told === null ? null : ((steps - this.#told.steps) * 1_000) / (nowMs - this.#told.atMs)
    this.#told = { atMs: nowMs, steps }
    this.#links = [...this.#mixed.values()]
    this.#mixed = new Map()
    this.#shown = 0
    this.#tell({
      event: 'stats',
      steps,
      updates,
      stepsPerSecond: this.#stepsPerSecond,
      returnMean,
      episodes,
      peers: this.#nodes.filter(({ peer }) => peer !== null).length - 1,
      consensusDistance: this.#distance,
      ...network.counters(),
    })
  }

  /** No round follows; the page keeps what it shows. */
  end(rounds: number): void {
    if (this.#over) return
    const { steps } = this.status()
    this.#over = true
    this.#tell({ event: 'stopped', reason: `the simulation is over after ${rounds} rounds`, steps })
  }

  async #replica(): Promise<Replica> {
    const { learner } = this.#nodes[0]!
    if (learner === null || this.#over) throw new GrapevineError('not_running', 'local', 'This peer does not run any more.')
    return learner.snapshot()
  }

  #tell(event: PeerEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** Another peer, as it really stands; what the founder holds against it is the founder's. */
function rowOf(node: SimulatedNode, founder: PeerStatus): Row {
  const known = founder.peers.find(({ id }) => id === node.id)
  const progress = node.learner?.progress() ?? null
  return {
    mixes: 0,
    refused: 0,
    trust: 1,
    muted: false,
    heardSecondsAgo: 0,
    mixedSecondsAgo: null,
    causes: {},
    connected: false,
    relayed: false,
    ...known,
    id: node.id,
    state: node.peer === null ? 'left' : 'alive',
    steps: progress?.steps ?? null,
    returnMean: progress?.returnMean ?? null,
    version: progress?.updates ?? null,
  }
}
