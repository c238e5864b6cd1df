/**
 * Lock step: all peers make `period` updates, then one averaging step with one view of who is there. Averaging takes no time.
 *
 * A step of `pairwise` with partner rule `random` is n/2 ticks, each one uniformly random pair, one after the other. Every other rule and
 * strategy has all peers make their round at once. What is published arrives before anybody mixes.
 */
import type { PeerId } from '../ports/network.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import type { Manifest } from '../wire/manifest.ts'
import type { VirtualClock } from './clock.ts'
import { STEP_LIMIT_MS } from './limits.ts'
import { LockstepHub } from './lockstep-network.ts'
import type { SimulatedNode } from './node.ts'
import { populate, type Swarm, type SwarmContext } from './swarm.ts'

/** All peers, at the start. */
export async function lockstepSwarm(context: SwarmContext): Promise<Swarm> {
  const { clock, settings, seed } = context
  const hub = new LockstepHub({
    loss: settings.loss,
    random: seededRandom(seed, 'loss'),
    carries: (topic) => topic.endsWith('/params'),
  })
  let view: readonly PeerId[] = []
  const nodes = await populate(context, {
    network: ({ id }) => hub.join(id),
    peerOptions: { pace: 'driven', view: () => view },
    known: () => [],
    addresses: () => [],
  })
  view = nodes.map(({ id }) => id).sort()
  for (const node of nodes) {
    await node.peer!.start()
    await node.learner!.hold()
  }
  const { averaging } = nodes[0]!.run!.manifest
  if (averaging.partner === 'ring') hub.hears = (listener, author) => areNeighbours(listener, author, nodes.length)
  const random = seededRandom(seed, 'ticks')
  const failures: unknown[] = []
  for (const { learner } of nodes) learner!.failed.catch((error: unknown) => failures.push(error))
  return {
    nodes,
    averaging,
    async round(number) {
      const passMs = averaging.period * settings.updateMs
      if (settings.learning) await clock.during(Promise.all(nodes.map((node) => update(node, number * averaging.period))), Number.MAX_VALUE)
      else await clock.run(passMs)
      if (failures.length > 0) throw failures[0]
      await averagingStep(clock, hub, nodes, averaging, random)
    },
  }
}

/** Up to the update with this number. */
async function update({ learner }: SimulatedNode, number: number): Promise<void> {
  await learner!.run()
  await learner!.reach(number)
  await learner!.hold()
}

async function averagingStep(
  clock: VirtualClock,
  hub: LockstepHub,
  nodes: readonly SimulatedNode[],
  { strategy, partner }: Manifest['averaging'],
  random: SeededRandom,
): Promise<void> {
  if (nodes.length < 2) return
  if (strategy === 'pairwise' && partner === 'random') {
    for (let tick = 0; tick < Math.floor(nodes.length / 2); tick++) {
      hub.step()
      const one = random.below(nodes.length)
      const other = (one + 1 + random.below(nodes.length - 1)) % nodes.length
      await clock.during(nodes[one]!.peer!.round({ partner: nodes[other]!.id }), STEP_LIMIT_MS)
    }
    return
  }
  hub.step()
  const published = Promise.withResolvers<void>()
  const all = Promise.all(nodes.map(({ peer }) => peer!.round({ delivered: () => published.promise })))
  all.catch(() => undefined)
  // Publishing takes no time: once no promise can go on, everything has arrived.
  await clock.run(0)
  published.resolve()
  await clock.during(all, STEP_LIMIT_MS)
}

function areNeighbours(a: number, b: number, nodes: number): boolean {
  return (a + 1) % nodes === b || (b + 1) % nodes === a
}
