/**
 * The hub of the network in memory: peers join it, and its wires say whether and when a message arrives. For tests and for the simulator.
 */
import type { Clock } from '../ports/clock.ts'
import type { Network, PeerId } from '../ports/network.ts'
import { KEEP_ALIVE_MS } from './limits.ts'
import { type Admit, type Hub, MemoryPeer } from './memory-peer.ts'
import { perfectWires, type Wires } from './wires.ts'

export interface MemoryHub {
  /** A new peer of this hub, not started, in the next place or in that of the stopped peer whose `id` it takes up. `admit`: see Admit. */
  join(id: PeerId, admit?: Admit): Network
  /** From now on these two reach each other through a relay only, or directly again: no gossip between them, and small requests. */
  relay(a: PeerId, b: PeerId, through: boolean): void
  /** What was severed just now and still is when the connections' keep-alive looks is disconnected on both sides. */
  watchSevered(): void
}

/** Virtual milliseconds from one peer to another, for a network without faults, or the wires. */
export type MemoryHubOptions = { readonly delayMs: number } | { readonly wires: Wires }

export function memoryNetwork(clock: Clock, options: MemoryHubOptions): MemoryHub {
  return new WiredHub(clock, 'wires' in options ? options.wires : perfectWires(options.delayMs))
}

class WiredHub implements MemoryHub, Hub {
  readonly clock: Clock
  readonly wires: Wires
  readonly #slots = new Map<PeerId, number>()
  readonly #peers: MemoryPeer[] = []
  readonly #relayed = new Set<string>()

  constructor(clock: Clock, wires: Wires) {
    this.clock = clock
    this.wires = wires
  }

  join(id: PeerId, admit: Admit = (act) => act()): Network {
    const slot = this.#slots.get(id) ?? this.#peers.length
    if (this.#peers[slot]?.running) throw new RangeError(`peer ${id} is on this hub already`)
    this.#slots.set(id, slot)
    this.#peers[slot] = new MemoryPeer(this, id, slot, admit)
    return this.#peers[slot]
  }

  relay(a: PeerId, b: PeerId, through: boolean): void {
    for (const pair of [`${a} ${b}`, `${b} ${a}`]) {
      if (through) this.#relayed.add(pair)
      else this.#relayed.delete(pair)
    }
  }

  isRelayed(a: PeerId, b: PeerId): boolean {
    return this.#relayed.has(`${a} ${b}`)
  }

  at(slot: number): MemoryPeer | undefined {
    return this.#peers[slot]
  }

  watchSevered(): void {
    const severed = this.#severed()
    this.clock.after(KEEP_ALIVE_MS, () => {
      const still = new Set(this.#severed().map(([a, b]) => `${a.slot} ${b.slot}`))
      for (const [a, b] of severed) if (still.has(`${a.slot} ${b.slot}`)) a.lose(b)
    })
  }

  /** Connected pairs, from either side, of which one cannot reach the other. */
  #severed(): [MemoryPeer, MemoryPeer][] {
    const dead = (a: MemoryPeer, b: MemoryPeer) => this.wires.severed(a.slot, b.slot) || this.wires.severed(b.slot, a.slot)
    return this.#peers.flatMap((peer) =>
      peer
        .neighbours()
        .filter((other) => dead(peer, other))
        .map((other): [MemoryPeer, MemoryPeer] => [peer, other]),
    )
  }
}
