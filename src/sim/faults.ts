/**
 * Makes the steps of a scenario happen: cuts and wires, crashes and pauses, each at its time and undone when it is over. What happened, and
 * to whom, is kept for the report.
 */
import type { VirtualClock } from './clock.ts'
import type { Cut, FaultyWires, WireState } from './faulty-wires.ts'
import type { SimulatedNode } from './node.ts'
import type { ScenarioStep } from './scenario.ts'

/** One fault that a scenario did to a swarm. */
export interface FaultRecord {
  /** Virtual seconds since the start. */
  readonly seconds: number
  /** When it was undone; null: never. */
  readonly untilSeconds: number | null
  readonly do: ScenarioStep['do']
  readonly peers: readonly number[]
}

export interface FaultSurroundings {
  readonly clock: VirtualClock
  readonly wires: FaultyWires
  readonly nodes: readonly SimulatedNode[]
  /** Connections over ways that were just cut are given up after a while. */
  readonly watchSevered: () => void
  readonly onFault: (record: FaultRecord) => void
}

export class Faults {
  /** A crash or restart that failed: a fault of ours, to be seen by whoever runs the simulation. */
  failure: { readonly error: unknown } | null = null
  readonly #around: FaultSurroundings
  readonly #everybody: readonly number[]
  readonly #startMs: number

  /** Plans all steps; times count from now. */
  constructor(steps: readonly ScenarioStep[], around: FaultSurroundings) {
    this.#around = around
    this.#everybody = around.nodes.map(({ index }) => index)
    this.#startMs = around.clock.now()
    for (const step of steps) around.clock.after(step.at, () => this.#happen(step))
  }

  #happen(step: ScenarioStep): void {
    const peers = 'peers' in step && step.peers !== undefined ? step.peers : this.#everybody
    const forMs = 'for' in step ? step.for : undefined
    const seconds = (this.#around.clock.now() - this.#startMs) / 1_000
    this.#around.onFault({ seconds, untilSeconds: forMs === undefined ? null : seconds + forMs / 1_000, do: step.do, peers })
    const undo = this.#apply(step, peers)
    if (forMs !== undefined && undo !== null) this.#around.clock.after(forMs, undo)
  }

  /** Returns what undoes it; null where nothing does. */
  #apply(step: ScenarioStep, peers: readonly number[]): (() => void) | null {
    const { wires, nodes } = this.#around
    switch (step.do) {
      case 'partition':
        return this.#cut(peers, step.direction ?? 'both', false)
      case 'half-open':
        return this.#cut(peers, 'both', true)
      case 'flap':
        return this.#flap(peers, step.every)
      case 'heal':
        wires.cuts.clear()
        return null
      case 'crash':
        return this.#each(peers, (node) => {
          this.#go(node.crash())
          return () => this.#go(node.restart())
        })
      case 'restart':
        for (const peer of peers) this.#go(nodes[peer]!.restart())
        return null
      case 'pause':
        return this.#each(peers, ({ clock }) => {
          clock.hold()
          return () => clock.release()
        })
      case 'slow':
        return this.#each(peers, (node) => {
          const before = node.slowness
          node.slowness = step.times
          return () => {
            node.slowness = before
          }
        })
      case 'latency':
        return this.#wires(peers, { latencyMs: step.latency })
      case 'bandwidth':
        return this.#wires(peers, { bytesPerMs: step.rate })
      case 'loss':
        return this.#wires(peers, { loss: step.probability })
      case 'duplicate':
        return this.#wires(peers, { duplication: step.probability })
      case 'reorder':
        return this.#wires(peers, { reordering: step.probability, reorderingMs: step.late })
      case 'skew':
        for (const peer of peers) nodes[peer]!.clock.skewSeconds = step.by
        return null
    }
  }

  #cut(peers: readonly number[], direction: 'both' | 'in' | 'out', silent: boolean): () => void {
    const { wires, watchSevered } = this.#around
    const inside = new Set(peers)
    const outside = new Set(this.#everybody.filter((peer) => !inside.has(peer)))
    const cuts: Cut[] = []
    if (direction !== 'in') cuts.push({ from: inside, to: outside, silent })
    if (direction !== 'out') cuts.push({ from: outside, to: inside, silent })
    for (const cut of cuts) wires.cuts.add(cut)
    if (!silent) watchSevered()
    return () => {
      for (const cut of cuts) wires.cuts.delete(cut)
    }
  }

  /** Cut and whole in turn, each for `everyMs`. */
  #flap(peers: readonly number[], everyMs: number): () => void {
    const { clock } = this.#around
    let heal: (() => void) | null = null
    let cancel = () => {}
    const turn = () => {
      if (heal === null) heal = this.#cut(peers, 'both', false)
      else {
        heal()
        heal = null
      }
      cancel = clock.after(everyMs, turn)
    }
    turn()
    return () => {
      cancel()
      heal?.()
    }
  }

  #wires(peers: readonly number[], change: Partial<WireState>): () => void {
    return this.#each(peers, (node) => {
      const wire = this.#around.wires.peers[node.index]!
      const before = { ...wire }
      Object.assign(wire, change)
      return () => {
        for (const key of Object.keys(change) as (keyof WireState)[]) Object.assign(wire, { [key]: before[key] })
      }
    })
  }

  #each(peers: readonly number[], act: (node: SimulatedNode) => () => void): () => void {
    const undos = peers.map((peer) => act(this.#around.nodes[peer]!))
    return () => {
      for (const undo of undos) undo()
    }
  }

  /** Crashes and restarts take virtual time. */
  #go(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.failure ??= { error }
    })
  }
}
