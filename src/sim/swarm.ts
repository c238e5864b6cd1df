/** What lock step and free running have in common: the peers, and how a simulation goes on. */
import type { PacedCore } from '../learn/inline-learner.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { PeerPorts, Run } from '../peer/run.ts'
import type { LearnerSettings } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import type { Manifest } from '../wire/manifest.ts'
import type { VirtualClock } from './clock.ts'
import type { FaultRecord } from './faults.ts'
import { attackOf } from './hostile/kinds.ts'
import { type NodeContext, SimulatedNode } from './node.ts'
import type { SimulateSettings } from './options.ts'

/** Pauses in lock step, all peers at the same update: within rounds and after each. Looking changes nothing of what they learn. */
export interface Between {
  /** Updates from here to the next pause, one at least; a round's end comes anyway. */
  updates(): number
  look(nodes: readonly SimulatedNode[]): void
}

export interface SwarmContext {
  readonly clock: VirtualClock
  readonly settings: SimulateSettings
  readonly seed: number
  readonly makeCore: (settings: LearnerSettings) => Promise<PacedCore>
  /** Founds the run on the first peer. */
  readonly foundRun: (ports: PeerPorts) => Promise<Run>
  /** Gives a peer its first parameters. */
  readonly prepare: (node: number, run: Run) => Promise<void>
  readonly emit: (node: number, event: PeerEvent) => void
  readonly onFault: (record: FaultRecord) => void
  readonly between: Between | null
}

export interface Swarm {
  readonly nodes: readonly SimulatedNode[]
  readonly averaging: Manifest['averaging']
  /** Goes on to the end of this round, counted from 1. */
  round(number: number): Promise<void>
}

export interface Surroundings extends Pick<NodeContext, 'network' | 'peerOptions' | 'addresses'> {
  /** Addresses that a node knows from the start. */
  readonly known: (node: SimulatedNode) => readonly string[]
}

/** All peers of one run, from the same weights, not started. */
export async function populate(context: SwarmContext, { known, ...surroundings }: Surroundings): Promise<SimulatedNode[]> {
  const { clock, settings, seed, makeCore, emit } = context
  const attackers = settings.hostile?.count ?? 0
  const attack: NodeContext['attack'] = (index) => {
    const place = index - (settings.nodes - attackers)
    const made = place < 0 || settings.hostile === null ? undefined : attackOf(settings.hostile.kind)
    if (made === undefined) return null
    const honest = () =>
      nodes.filter((node) => node.honest).map((node) => node.replica(new Float32Array(node.core!.description.parameterCount)))
    return { attack: made, knowledge: { index: place, attackers, honest, random: seededRandom(seed, 'attacker', index) } }
  }
  const shared: NodeContext = { clock, seed, settings: settings.peer, updateMs: settings.updateMs, makeCore, emit, attack, ...surroundings }
  const nodes: SimulatedNode[] = Array.from({ length: settings.nodes }, (_, index) => new SimulatedNode(shared, index))
  let first: Run | null = null
  for (const node of nodes) {
    const ports = await node.open()
    const run: Run = first === null ? await context.foundRun(ports) : await node.ownCopy(first, ports)
    first ??= run
    await context.prepare(node.index, run)
    node.begin(run, ports, known(node))
  }
  return nodes
}
