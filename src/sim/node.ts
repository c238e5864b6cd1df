/**
 * One simulated machine: its clock, its pace, its place on the network, and the real peer that runs on it, which may crash and come back.
 */
import type { Pace, PacedCore } from '../learn/inline-learner.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { LedgerEntry } from '../peer/exchange/ledger.ts'
import { joinRun } from '../peer/join.ts'
import { Peer, type PeerOptions } from '../peer/peer.ts'
import { learnerSettings, type PeerPorts, type Run } from '../peer/run.ts'
import type { PeerSettings } from '../peer/settings.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, LearnerSettings } from '../ports/learner.ts'
import type { Network, PeerId } from '../ports/network.ts'
import { messageOf } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import { peerIdText } from '../wire/peer-id.ts'
import type { Attack, Knowledge } from './hostile/attack.ts'
import { hostileLearner, hostileNetwork } from './hostile/kinds.ts'
import { REJOIN_MS } from './limits.ts'
import { NodeClock } from './node-clock.ts'
import { MemoryStorage } from './storage.ts'
import { inlineWorkers } from './workers.ts'

/** What all nodes of a simulation share. */
export interface NodeContext {
  readonly clock: Clock
  readonly seed: number
  readonly settings: PeerSettings
  readonly updateMs: number
  readonly makeCore: (settings: LearnerSettings) => Promise<PacedCore>
  readonly network: (node: SimulatedNode) => Network
  readonly peerOptions: Partial<Pick<PeerOptions, 'pace' | 'view'>>
  /** Addresses that a node which comes back tries. */
  readonly addresses: () => readonly string[]
  readonly emit: (node: number, event: PeerEvent) => void
  /** How this node attacks; null: it is honest. */
  readonly attack: (node: number) => { readonly attack: Attack; readonly knowledge: Knowledge } | null
}

const NO_LOG = { debug() {}, info() {}, warn() {}, error() {} }
const NEVER = new AbortController().signal

export class SimulatedNode {
  readonly index: number
  readonly id: PeerId
  readonly clock: NodeClock
  /** How many times slower than the others it computes. */
  slowness = 1
  readonly #context: NodeContext
  readonly #hostility: ReturnType<NodeContext['attack']>
  #incarnation = 0
  #life: { readonly ports: PeerPorts; readonly run: Run; readonly peer: Peer } | null = null
  /** What learned last. */
  #core: PacedCore | null = null
  /** The replica of a node that is down: what it was. */
  #lost: Float32Array | null = null
  /** What the next life will learn with. */
  #nextCore: PacedCore | null = null
  /** Sum over all its returns of what it took up minus what it had lost. */
  #taken: Float64Array | null = null
  /** What exchanges of earlier lives left unsettled. */
  #ledgerBefore: LedgerEntry[] = []
  /** Counts starts and crashes, so that a restart in vain ends with the next crash. */
  #turns = 0
  #bytesBefore = 0

  constructor(context: NodeContext, index: number) {
    this.#context = context
    this.index = index
    this.id = simulatedPeerId(context.seed, index)
    this.clock = new NodeClock(context.clock)
    this.#hostility = context.attack(index)
  }

  get honest(): boolean {
    return this.#hostility === null
  }

  /** These are null while the node is down. */
  get peer(): Peer | null {
    return this.#life?.peer ?? null
  }

  get network(): Network | null {
    return this.#life?.ports.network ?? null
  }

  get run(): Run | null {
    return this.#life?.run ?? null
  }

  get learner(): Learner | null {
    return this.#life?.run.learner ?? null
  }

  /** What learns here, or did before it went down; null before the first start. Of the replica, ask `replica`. */
  get core(): PacedCore | null {
    return this.#core
  }

  /** The parameters, also of a node that is down, into `into` [n]. */
  replica(into: Float32Array): Float32Array {
    if (this.#lost !== null) into.set(this.#lost)
    else this.#core!.snapshot({ parameters: into, target: null })
    return into
  }

  /** What exchanges of all its lives left unsettled, with their deltas. */
  get ledger(): readonly LedgerEntry[] {
    return [...this.#ledgerBefore, ...(this.#life?.peer.ledger() ?? [])]
  }

  /** Of exchanges that a crash left open here, these came to pass: an answer was still on its way, and the other side applied its half. */
  settle(applied: ReadonlySet<string>): void {
    this.#ledgerBefore = this.#ledgerBefore.filter(({ role, exchange }) => role === 'initiator' || !applied.has(exchange))
  }

  get crashed(): boolean {
    return this.#ledgerBefore.length > 0
  }

  /** How far its returns after crashes moved this replica; null: it never crashed. */
  get taken(): Float64Array | null {
    return this.#taken
  }

  /** Bytes sent in all its lives. */
  get bytesOut(): number {
    return this.#bytesBefore + (this.network?.counters().bytesOut ?? 0)
  }

  /** The ports of a new life, its network started. */
  async open(): Promise<PeerPorts> {
    const { clock } = this
    const { seed, updateMs, makeCore } = this.#context
    const joined = this.#context.network(this)
    const hostility = this.#hostility
    const network = hostility === null ? joined : hostileNetwork(joined, hostility.attack, hostility.knowledge)
    await network.start(NEVER)
    const slowness = () => this.slowness
    const pace: Pace = {
      get updateMs() {
        return updateMs * slowness()
      },
      sliceUpdates: 1,
    }
    const workers = inlineWorkers(clock, pace, async (settings) => {
      this.#nextCore = await makeCore(settings)
      return this.#nextCore
    })
    const random = seededRandom(seed, 'node', this.index, this.#turns++)
    return { network, clock, random, log: NO_LOG, storage: new MemoryStorage(), workers }
  }

  /** `run` with a learner of this node's own. */
  async ownCopy(run: Run, ports: PeerPorts): Promise<Run> {
    const learner = await ports.workers.learner(learnerSettings(run.manifest, this.#context.settings, this.id))
    return { ...run, learner: this.#disguised(learner) }
  }

  /** The peer of a new life, not started. */
  begin(run: Run, ports: PeerPorts, knownAddresses: readonly string[]): void {
    const { settings, peerOptions, emit } = this.#context
    this.#incarnation = Math.max(this.#incarnation + 1, this.clock.unixSeconds())
    const peer = new Peer(run, ports, {
      ...peerOptions,
      incarnation: this.#incarnation,
      minPeriodMs: settings.minPeriodMs,
      knownAddresses,
      waitForPeers: 0,
      keepDeltas: true,
      emit: (event) => emit(this.index, event),
    })
    this.#takeUp(this.#nextCore!)
    this.#life = { ports, run, peer }
    run.learner.failed.catch((error: unknown) => {
      emit(this.index, { event: 'error', code: 'learner_failed', message: messageOf(error) })
    })
  }

  #takeUp(core: PacedCore): void {
    const before = this.#lost
    this.#core = core
    this.#lost = null
    if (before === null) return
    const after = this.replica(new Float32Array(before.length))
    this.#taken ??= new Float64Array(before.length)
    for (let i = 0; i < before.length; i++) this.#taken[i]! += after[i]! - before[i]!
  }

  /** An attacker shows others what it wants them to see. */
  #disguised(learner: Learner): Learner {
    return this.#hostility === null ? learner : hostileLearner(learner, this.#hostility.attack, this.#hostility.knowledge)
  }

  /** Gone without a word: connections break, nothing is saved. */
  async crash(): Promise<void> {
    const life = this.#life
    this.#turns++
    this.#life = null
    if (life === null) return
    const { network, workers } = life.ports
    // Its memory is given back below.
    this.#lost = this.replica(new Float32Array(life.run.parameterCount))
    this.#bytesBefore += network.counters().bytesOut
    this.#ledgerBefore.push(...life.peer.ledger())
    await network.stop()
    await life.peer.stop()
    await workers.stop()
  }

  /** Comes back as a joiner of the swarm that goes on; tries until somebody lets it in. */
  async restart(): Promise<void> {
    if (this.#life !== null) return
    const { settings, addresses, emit } = this.#context
    const ports = await this.open()
    const turn = this.#turns
    while (turn === this.#turns) {
      const known = addresses()
      try {
        const warn = (code: string, message: string) => emit(this.index, { event: 'warning', code, message })
        const { run, from, version, digest } = await joinRun(known, settings, ports, NEVER, warn)
        if (turn !== this.#turns) break
        this.begin({ ...run, learner: this.#disguised(run.learner) }, ports, known)
        emit(this.index, { event: 'joined', run: run.id, from, version, digest })
        await this.#life!.peer.start()
        return
      } catch {
        // Nobody answers, or nobody has the weights to spare: others may be there later.
        await this.clock.sleep(REJOIN_MS)
      }
    }
    await ports.network.stop()
  }
}

/** A well-formed Ed25519 peer id, of a key that nobody has. */
function simulatedPeerId(seed: number, index: number): PeerId {
  const random = seededRandom(seed, 'identity', index)
  const key = Uint8Array.from({ length: 32 }, () => random.uint32() & 255)
  return peerIdText(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...key))!
}
