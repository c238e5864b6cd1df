/**
 * Lock step: all peers make `period` updates, then one averaging step with one view of who is there. Averaging takes no time.
 *
 * A step of `pairwise` with partner rule `random` is n/2 ticks, each one uniformly random pair, one after the other; with the other rules one
 * exchange of each pair that the rule brings together. With every other strategy all peers make their round at once. Shared experience goes
 * round whenever its own number of updates is over, within rounds as well.
 */
import { matching, pairRuleNamed, partnerBy } from '../average/partners.ts'
import type { PeerId } from '../ports/network.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
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
    delaySteps: settings.delayRounds === null ? null : { range: settings.delayRounds, random: seededRandom(seed, 'delay') },
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
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const node of nodes) {
    await node.peer!.start()
    await node.learner!.hold()
  }
  const { averaging } = nodes[0]!.run!.manifest
  const random = seededRandom(seed, 'ticks')
  const failures: unknown[] = []
  for (const { learner } of nodes) learner!.failed.catch((error: unknown) => failures.push(error))
  return {
    nodes,
    averaging,
    async round(number) {
      const passMs = averaging.period * settings.updateMs
      if (settings.learning) await learn(context, hub, nodes, (number - 1) * averaging.period, number * averaging.period)
      else await clock.run(passMs)
      if (failures.length > 0) throw failures[0]
      hub.step()
      if (averaging.strategy !== 'pairwise') await together(clock, nodes)
      else if (averaging.partner === 'random') await ticks(clock, hub, nodes, random)
      else await pairs(clock, byId, pairsOf(averaging.partner, view, nodes[0]!.run!.id, number, random))
      context.between?.look(nodes)
    },
  }
}

/** All peers, from one update to another, with pauses where experience goes round, or somebody wants to look. */
async function learn(
  { clock, between }: SwarmContext,
  hub: LockstepHub,
  nodes: readonly SimulatedNode[],
  from: number,
  to: number,
): Promise<void> {
  const period = nodes[0]!.peer!.experiencePeriod ?? Number.POSITIVE_INFINITY
  for (let at = from; at < to; ) {
    const look = between === null ? to : at + Math.max(1, between.updates())
    const share = (Math.floor(at / period) + 1) * period
    const next = Math.min(to, look, share)
    await clock.during(Promise.all(nodes.map((node) => update(node, next))), Number.MAX_VALUE)
    if (next === share) await experience(clock, hub, nodes)
    if (next < to) between?.look(nodes)
    at = next
  }
}

/** Everybody offers what it experienced, then everybody takes what some others offer. */
async function experience(clock: VirtualClock, hub: LockstepHub, nodes: readonly SimulatedNode[]): Promise<void> {
  hub.step()
  for (const { peer } of nodes) await clock.during(peer!.offerExperience(), STEP_LIMIT_MS)
  for (const { peer } of nodes) await clock.during(peer!.pullExperience(), STEP_LIMIT_MS)
}

/** Up to the update with this number. */
async function update({ learner }: SimulatedNode, number: number): Promise<void> {
  await learner!.run()
  await learner!.reach(number)
  await learner!.hold()
}

/** n/2 exchanges, each of one uniformly random pair, one after the other. */
async function ticks(clock: VirtualClock, hub: LockstepHub, nodes: readonly SimulatedNode[], random: SeededRandom): Promise<void> {
  for (let tick = 0; tick < Math.floor(nodes.length / 2); tick++) {
    hub.step()
    const one = random.below(nodes.length)
    const other = (one + 1 + random.below(nodes.length - 1)) % nodes.length
    await clock.during(nodes[one]!.peer!.round({ partner: nodes[other]!.id }), STEP_LIMIT_MS)
  }
}

/** One exchange of each pair, all at once. A pair whose exchange fails does not look for others, as free peers would. */
async function pairs(
  clock: VirtualClock,
  byId: ReadonlyMap<PeerId, SimulatedNode>,
  chosen: readonly (readonly [PeerId, PeerId])[],
): Promise<void> {
  await clock.during(Promise.all(chosen.map(([one, other]) => byId.get(one)!.peer!.round({ partner: other }))), STEP_LIMIT_MS)
}

/** Whom the rule brings together in this round, each peer at most once. */
function pairsOf(
  rule: string,
  view: readonly PeerId[],
  run: string,
  epoch: number,
  random: SeededRandom,
): readonly (readonly [PeerId, PeerId])[] {
  if (rule === 'matching') return matching(view, run, epoch)
  const named = pairRuleNamed(rule)
  const taken = new Set<PeerId>()
  const chosen: (readonly [PeerId, PeerId])[] = []
  for (const self of view) {
    if (taken.has(self)) continue
    const partner = partnerBy(named, { self, view, run, epoch, random })
    if (partner === null || taken.has(partner)) continue
    taken.add(self).add(partner)
    chosen.push([self, partner])
  }
  return chosen
}

/** Every peer makes a round. What is published arrives before anybody mixes. */
async function together(clock: VirtualClock, nodes: readonly SimulatedNode[]): Promise<void> {
  const published = Promise.withResolvers<void>()
  const all = Promise.all(nodes.map(({ peer }) => peer!.round({ delivered: () => published.promise })))
  all.catch(() => undefined)
  // Publishing takes no time: once no promise can go on, everything has arrived.
  await clock.run(0)
  published.resolve()
  await clock.during(all, STEP_LIMIT_MS)
}
