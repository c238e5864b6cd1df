/**
 * Free running: every peer goes its own way, with beacons, rounds at its own pace, dialling and joining, on a network with latency and
 * faults. A round, where one is counted, is the time that `period` updates take.
 */
import { seededRandom } from '../util/random.ts'
import { Faults } from './faults.ts'
import { FaultyWires } from './faulty-wires.ts'
import { FIRST_CONNECTIONS, FIRST_DIALS_MS } from './limits.ts'
import { memoryNetwork } from './network.ts'
import type { SimulatedNode } from './node.ts'
import { populate, type Swarm, type SwarmContext } from './swarm.ts'

/** All peers, connected and running. */
export async function freeSwarm(context: SwarmContext): Promise<Swarm> {
  const { clock, settings, seed } = context
  const { nodes: count, latencyMs, bytesPerMs, loss, slow } = settings
  const wires = new FaultyWires({ clock, random: seededRandom(seed, 'wires'), nodes: count, latencyMs, bytesPerMs, loss })
  const hub = memoryNetwork(clock, { wires })
  const partners = firstConnections(count, seed)
  const addressOf = (node: SimulatedNode) => `/memory/${node.index}/p2p/${node.id}`
  const nodes = await populate(context, {
    network: ({ id, clock: own }) => hub.join(id, (act) => own.admit(act)),
    peerOptions: {},
    known: ({ index }) => partners[index]!.map((slot) => `/memory/${slot}`),
    addresses: () => nodes.filter(({ peer }) => peer !== null).map(addressOf),
  })
  const dials = new AbortController()
  const overdue = clock.after(FIRST_DIALS_MS, () => dials.abort())
  const dialled = nodes.flatMap(({ network }, i) => partners[i]!.map((slot) => network!.dial(`/memory/${slot}`, dials.signal)))
  // Whom nobody answers now is dialled again by the peer itself.
  await clock.during(Promise.allSettled(dialled), 2 * FIRST_DIALS_MS)
  overdue()
  for (const [i, node] of nodes.entries()) {
    if (slow !== null && i >= 1 && i <= slow.count) node.slowness = slow.times
    await node.peer!.start()
  }
  const { averaging } = nodes[0]!.run!.manifest
  const watchSevered = () => hub.watchSevered()
  const faults = new Faults(settings.scenario, { clock, wires, nodes, watchSevered, onFault: context.onFault })
  return {
    nodes,
    averaging,
    async round() {
      await clock.run(averaging.period * settings.updateMs)
      if (faults.failure !== null) throw faults.failure.error
    },
  }
}

/** Whom each peer dials before the start: its neighbour on a ring, so that nobody is left out, and some at random. */
function firstConnections(count: number, seed: number): readonly (readonly number[])[] {
  const random = seededRandom(seed, 'connections')
  return Array.from({ length: count }, (_, i) => {
    const slots = new Set(count > 1 ? [(i + 1) % count] : [])
    for (let tries = 0; tries < FIRST_CONNECTIONS && count > 2; tries++) slots.add((i + 1 + random.below(count - 1)) % count)
    return [...slots].slice(0, FIRST_CONNECTIONS)
  })
}
