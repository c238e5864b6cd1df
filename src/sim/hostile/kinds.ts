/** Attacks by name, and what makes a peer of a simulation hostile. */
import type { Learner } from '../../ports/learner.ts'
import type { Network } from '../../ports/network.ts'
import { alie } from './alie.ts'
import type { Attack, Knowledge } from './attack.ts'
import { dissensus } from './dissensus.ts'
import { equivocation } from './equivocation.ts'
import { huge } from './huge.ts'
import { innerProduct } from './inner-product.ts'
import { nan } from './nan.ts'
import { signFlip } from './sign-flip.ts'
import { staleReplay } from './stale-replay.ts'
import { sybil } from './sybil.ts'
import { weightInflation } from './weight-inflation.ts'
import { wrongShape } from './wrong-shape.ts'

const KINDS: Readonly<Record<string, () => Attack>> = {
  nan,
  huge,
  'sign-flip': signFlip,
  alie,
  'inner-product': innerProduct,
  dissensus,
  'stale-replay': staleReplay,
  'wrong-shape': wrongShape,
  equivocation,
  'weight-inflation': weightInflation,
  sybil,
}

export const ATTACK_KINDS: readonly string[] = Object.keys(KINDS)

/** A new attacker of this kind, with a memory of its own; undefined: no such kind. */
export function attackOf(kind: string): Attack | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind]!() : undefined
}

/**
 * The learner of an attacker: others see the lie instead of its snapshot. It takes nothing from others, because what they send is made
 * against the lie.
 */
export function hostileLearner(learner: Learner, attack: Attack, knowledge: Knowledge): Learner {
  const { lie } = attack
  if (lie === undefined) return learner
  return withChanges(learner, {
    async snapshot() {
      const snapshot = await learner.snapshot()
      return { ...snapshot, parameters: lie(snapshot.parameters, knowledge) }
    },
    mix: async () => undefined,
  })
}

/** First bytes of a parameter frame. */
const FRAME_MAGIC = [0x47, 0x56, 0x50, 0x46]

/** The network of an attacker: forges the parameter frames that it publishes. */
export function hostileNetwork(network: Network, attack: Attack, knowledge: Knowledge): Network {
  const { forge } = attack
  if (forge === undefined) return network
  return withChanges(network, {
    async publish(topic, bytes) {
      if (FRAME_MAGIC.some((byte, i) => bytes[i] !== byte)) return network.publish(topic, bytes)
      let handed = 0
      for (const forged of forge(bytes, knowledge)) handed = Math.max(handed, await network.publish(topic, forged))
      return handed
    },
  })
}

/** `object` with some of its members replaced. */
function withChanges<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name)
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
