/** What a swarm's mean has to be compared with at the end: who holds what, and what exchanges and crashes have moved. */
import { driftOf } from '../peer/exchange/ledger.ts'
import type { SimulatedNode } from './node.ts'

/** The mean of the honest replicas now, [n], and how far it is known to have moved. */
export interface Account {
  readonly mean: Float64Array
  readonly ledger: Float64Array
  /** Sum of the weights over the number of peers, less 1: what push-sum lost or made; 0 elsewhere. */
  readonly weightError: number
}

/** null: nobody can say, because weight went down with a peer. */
export function accountOf(nodes: readonly SimulatedNode[]): Account | null {
  const count = nodes[0]!.core!.description.parameterCount
  const masses = nodes.map(({ peer }) => peer?.mass() ?? null)
  const byWeight = masses.some((mass) => mass !== null)
  if (byWeight && (masses.includes(null) || nodes.some(({ taken }) => taken !== null))) return null
  const counted = byWeight ? nodes : nodes.filter(({ honest }) => honest)
  const parts = byWeight ? pushes(nodes) : counted.map((node) => ({ weight: 1, values: node.replica(new Float32Array(count)) }))
  const mean = new Float64Array(count)
  for (const { weight, values } of parts) for (let i = 0; i < count; i++) mean[i]! += (weight * values[i]!) / counted.length
  const weightError = parts.reduce((sum, { weight }) => sum + weight, 0) / counted.length - 1
  return { mean, ledger: byWeight ? new Float64Array(count) : ledgerOf(nodes), weightError }
}

/** Everything that has a weight: replicas, what arrived and waits, and what is on its way. */
function pushes(nodes: readonly SimulatedNode[]): readonly { readonly weight: number; readonly values: Float32Array }[] {
  const masses = nodes.map(({ peer }) => peer!.mass()!)
  return nodes.flatMap((node, i) => {
    const { weight, arrived, sent } = masses[i]!
    const values = node.replica(new Float32Array(node.core!.description.parameterCount))
    return [{ weight, values }, ...arrived, ...sent.filter(({ name }) => !masses.some((other) => other.hasTaken(name)))]
  })
}

/** Who applied its half of an exchange says so only until the other side knows: it is looked for while it does. */
export function settleCrashed(nodes: readonly SimulatedNode[]): void {
  const crashed = nodes.filter((node) => node.crashed)
  if (crashed.length === 0) return
  const applied = nodes.flatMap(({ ledger }) => ledger).filter((entry) => entry.role === 'initiator' && entry.applied)
  const names = new Set(applied.map(({ exchange }) => exchange))
  for (const node of crashed) node.settle(names)
}

/** How far exchanges that one side applied and the other did not, and returns after crashes, have moved the mean. */
function ledgerOf(nodes: readonly SimulatedNode[]): Float64Array {
  const entries = nodes.flatMap(({ ledger }) => ledger)
  const drift = driftOf(entries, nodes[0]!.core!.description.parameterCount)
  for (const { taken } of nodes) if (taken !== null) for (let i = 0; i < drift.length; i++) drift[i]! += taken[i]!
  return drift.map((value) => value / nodes.length)
}
