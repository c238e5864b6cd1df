/**
 * A binary tree of sums over the priorities of a replay memory: sets one and draws in proportion to all in O(log capacity).
 * Every sum is computed anew as left + right when a leaf changes, so rounding errors do not pile up. A leaf of priority 0 is never drawn.
 * Errors: `shape` (capacity, index, length), `priority` (negative or not finite), `query` (outside [0, 1]), `replay_empty` (all are 0).
 * [Schaul et al. 2016, arXiv 1511.05952, B.2.1]
 */
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import type { StateFields } from './state.ts'

export class SumTree {
  /** Leaves: the capacity asked for, rounded up to a power of two. */
  readonly capacity: number
  /** Levels from the root to the leaves, both included: 1 for one leaf. */
  readonly levels: number
  /** Node 1 is the root, node i has the children 2i and 2i + 1, leaf i is node capacity + i. */
  readonly #nodes: Float64Array
  #largest = 1
  /** Of several draws or changes at once: the node that each has come to, and what is left of each query. */
  #at = new Int32Array(0)
  #rests = new Float64Array(0)

  /** `capacity`: whole, at least 1. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new GrapevineError('shape', 'local', `A sum tree has a whole number of leaves, at least 1, but ${capacity} were asked for.`, {
        capacity,
      })
    }
    let leaves = 1
    let levels = 1
    while (leaves < capacity) {
      leaves *= 2
      levels++
    }
    this.capacity = leaves
    this.levels = levels
    this.#nodes = new Float64Array(new SharedArrayBuffer(SumTree.bytes(capacity)))
  }

  /** Bytes that a tree of this capacity takes. */
  static bytes(capacity: number): number {
    let leaves = 1
    while (leaves < capacity) leaves *= 2
    return 2 * leaves * Float64Array.BYTES_PER_ELEMENT
  }

  /** Sum of all priorities. */
  get total(): number {
    return this.#nodes[1]!
  }

  /** The largest priority ever set, at least 1. */
  get largest(): number {
    return this.#largest
  }

  get(index: number): number {
    this.#requireIndex(index)
    return this.#nodes[this.capacity + index]!
  }

  set(index: number, priority: number): void {
    this.#requireIndex(index)
    requirePriority(priority)
    const nodes = this.#nodes
    let node = this.#setLeaf(index, priority)
    while (node > 1) {
      node >>>= 1
      nodes[node] = nodes[2 * node]! + nodes[2 * node + 1]!
    }
  }

  /** `set` for each of `indices` in turn, both [n]; side by side, as `sample`. Changes nothing where it throws. */
  setAll(indices: Int32Array, priorities: Float64Array): void {
    const nodes = this.#nodes
    const n = indices.length
    this.#room(n)
    const at = this.#at
    for (let i = 0; i < n; i++) {
      this.#requireIndex(indices[i]!)
      requirePriority(priorities[i]!)
    }
    for (let i = 0; i < n; i++) at[i] = this.#setLeaf(indices[i]!, priorities[i]!)
    for (let level = 1; level < this.levels; level++) {
      for (let i = 0; i < n; i++) {
        const node = at[i]! >>> 1
        nodes[node] = nodes[2 * node]! + nodes[2 * node + 1]!
        at[i] = node
      }
    }
  }

  /** The leaf in which the fraction `query` of the total falls; 0 <= query <= 1. */
  find(query: number): number {
    if (!(query >= 0 && query <= 1)) {
      throw new GrapevineError('query', 'local', `A sum tree is asked with a fraction from 0 to 1, not ${query}.`, { query })
    }
    const nodes = this.#nodes
    if (nodes[1] === 0) throw emptyTree()
    let rest = query * nodes[1]!
    let node = 1
    while (node < this.capacity) {
      node *= 2
      const left = nodes[node]!
      // Strictly less, so that a left side of 0 is never entered; an empty right side is not either, where rounding or query 1 leads there.
      if (rest < left || nodes[node + 1] === 0) continue
      rest -= left
      node++
    }
    return node - this.capacity
  }

  /**
   * One leaf from each of `indices.length` equal parts of the total, in their order: `find` for all at once, level by level. One descent after
   * another would wait for memory at each step; side by side they take a quarter of the time.
   */
  sample(random: Random, indices: Int32Array): void {
    const nodes = this.#nodes
    const n = indices.length
    const total = nodes[1]!
    if (total === 0) throw emptyTree()
    this.#room(n)
    const at = this.#at
    const rests = this.#rests
    for (let i = 0; i < n; i++) {
      at[i] = 1
      rests[i] = ((i + random.uniform()) / n) * total
    }
    for (let level = 1; level < this.levels; level++) {
      for (let i = 0; i < n; i++) {
        const child = 2 * at[i]!
        const left = nodes[child]!
        const goLeft = rests[i]! < left || nodes[child + 1] === 0
        at[i] = goLeft ? child : child + 1
        if (!goLeft) rests[i]! -= left
      }
    }
    for (let i = 0; i < n; i++) indices[i] = at[i]! - this.capacity
  }

  /** The leaves; the sums follow from them. */
  state(fields: StateFields): void {
    const nodes = this.#nodes
    fields.array('priorities', nodes.subarray(this.capacity))
    fields.numbers(
      'largest',
      () => [this.#largest],
      ([largest]) => {
        this.#largest = largest!
      },
    )
    if (!fields.restoring) return
    for (let node = this.capacity - 1; node >= 1; node--) nodes[node] = nodes[2 * node]! + nodes[2 * node + 1]!
  }

  /** The leaf's node. */
  #setLeaf(index: number, priority: number): number {
    if (priority > this.#largest) this.#largest = priority
    const node = this.capacity + index
    this.#nodes[node] = priority
    return node
  }

  #room(n: number): void {
    if (this.#at.length >= n) return
    this.#at = new Int32Array(n)
    this.#rests = new Float64Array(n)
  }

  #requireIndex(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.capacity) return
    throw new GrapevineError('shape', 'local', `Leaf ${index} was asked of a sum tree with ${this.capacity} leaves.`, { index })
  }
}

function requirePriority(priority: number): void {
  if (priority >= 0 && priority < Number.POSITIVE_INFINITY) return
  throw new GrapevineError('priority', 'local', `A priority must be a finite number of at least 0, but ${priority} was given.`, {
    priority,
  })
}

function emptyTree(): GrapevineError<'replay_empty'> {
  return new GrapevineError('replay_empty', 'local', 'Nothing can be drawn from a sum tree whose priorities are all 0.')
}
