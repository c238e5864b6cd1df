/**
 * What lies between two simulated peers: for each message, whether and when it arrives. Peers are named by their place on the hub.
 * A gossip message may be lost, copied or overtaken; a stream keeps its order and either delivers, breaks off or stalls.
 */

/** Milliseconds until one way of a request is through, or how it is not: the asker is told (`reset`), or waits in vain (`stall`). */
export type StreamFate = number | 'reset' | 'stall'

export interface Wires {
  /** One gossip message from one peer to its neighbour: milliseconds until each copy arrives; none where it is lost. */
  gossip(from: number, to: number, bytes: number): readonly number[]
  /** One way of a request or its answer, of a dial or a goodbye. */
  stream(from: number, to: number, bytes: number): StreamFate
  /** Whether nothing passes from one to the other, and both notice: a connection over such a way is given up after KEEP_ALIVE_MS. */
  severed(from: number, to: number): boolean
}

/** Everything arrives, each message after the same time. */
export function perfectWires(delayMs: number): Wires {
  const arrival = [delayMs]
  return { gossip: () => arrival, stream: () => delayMs, severed: () => false }
}
