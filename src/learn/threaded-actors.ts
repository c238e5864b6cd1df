/**
 * Actors in threads of their own, as a source of rollouts: policies go out through slots in the engine's memory, rollouts come back through a ring
 * of each actor, oldest first. The threads start with the first policy. What one actor does is `actOn`.
 */

import type { LearnerSettings, Progress } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import { type ActorJob, type ActorLife, type ActorThreads, MAX_ENVIRONMENT_SEED, NO_FAULTS, type RunningActors } from './actors.ts'
import { Collector, experienceShape } from './collector.ts'
import type { Arena } from './engine.ts'
import type { WasmEngine } from './engines/wasm.ts'
import type { WasmNetwork } from './engines/wasm-network.ts'
import { livingEnvironments } from './environments.ts'
import type { Experience, ExperienceShape, ExperienceSource } from './experience.ts'
import { resolveHyperparameters } from './hyperparameters.ts'
import { ARRIVALS, ExperienceRing, ringBytes, SHARED_WORDS } from './shared/experience-ring.ts'
import { PolicySlots, policySlotBuffer, policySlotCount } from './shared/policy-slots.ts'
import { waitWhile } from './shared/waiting.ts'

export class ThreadedActors implements ExperienceSource {
  readonly #threads: ActorThreads
  readonly #job: ActorJob
  readonly #slots: PolicySlots
  readonly #rings: readonly ExperienceRing[]
  readonly #arrivals: Int32Array
  #running: RunningActors | null = null
  /** The ring of the rollout taken last. */
  #taken: ExperienceRing | null = null
  #waits = 0

  /** `network` lies in `memory`. */
  constructor(threads: ActorThreads, settings: LearnerSettings, memory: WebAssembly.Memory, network: WasmNetwork, shape: ExperienceShape) {
    const actors = threads.count
    const arenas = Array.from({ length: policySlotCount(actors) }, () => network.allocate())
    const policies = policySlotBuffer(actors)
    const arrivals = new SharedArrayBuffer(SHARED_WORDS * Int32Array.BYTES_PER_ELEMENT)
    const rings = Array.from({ length: actors }, () => new SharedArrayBuffer(ringBytes(shape)))
    this.#threads = threads
    this.#slots = new PolicySlots(arenas, policies)
    this.#arrivals = new Int32Array(arrivals)
    this.#rings = rings.map((buffer, i) => new ExperienceRing(shape, i * shape.environments, buffer, this.#arrivals))
    this.#job = {
      kind: 'impala',
      settings,
      memory,
      addresses: arenas.map((arena) => network.address(arena)),
      buffers: [policies, arrivals, ...rings],
    }
  }

  get faults(): Progress['actors'] {
    return this.#running ?? NO_FAULTS
  }

  publish(parameters: Arena, version: number): void {
    this.#slots.publish(parameters, version)
    this.#running ??= this.#threads.start(this.#job)
  }

  take(): Experience | null {
    this.#running?.supervise()
    const seen = Atomics.load(this.#arrivals, ARRIVALS)
    this.#taken = this.#oldest()
    if (this.#taken === null) {
      this.#waits++
      waitWhile(this.#arrivals, ARRIVALS, seen)
      this.#taken = this.#oldest()
    }
    return this.#taken?.peek() ?? null
  }

  release(): void {
    this.#taken?.release()
    this.#taken = null
  }

  describe(statistics: Record<string, number>): void {
    statistics['actors/restarts'] = this.#running?.restarts ?? 0
    statistics['actors/waits'] = this.#waits
  }

  /** Rollouts on their way are lost with their threads. */
  state(): boolean {
    return false
  }

  stop(): void {
    this.#running?.stop()
  }

  #oldest(): ExperienceRing | null {
    let found: ExperienceRing | null = null
    let least = 0
    for (const ring of this.#rings) {
      const number = ring.oldest
      // Numbers wrap at 32 bits, so only their difference counts.
      if (number === null || (found !== null && ((number - least) | 0) > 0)) continue
      found = ring
      least = number
    }
    return found
  }
}

/** One actor: builds its network once; each call of the function it returns acts on new environments until stopped, or throws what they threw. */
export function actOn({ settings, addresses, buffers }: ActorJob, engine: WasmEngine, life: ActorLife): () => void {
  const own = resolveHyperparameters('impala', settings.algorithm.hyperparameters)
  const [policies, arrivals, ...rings] = buffers
  let network: WasmNetwork | null = null
  let begun = 0
  return () => {
    const environment = livingEnvironments(settings, own.environments, life)
    try {
      network ??= engine.build(settings.network, environment.count)
      const built = network
      const shape = experienceShape(environment, own.rolloutLength)
      const slots = new PolicySlots(
        addresses.map((address) => built.attach(address)),
        policies!,
      )
      const ring = new ExperienceRing(shape, life.index * shape.environments, rings[life.index]!, new Int32Array(arrivals!))
      const key = ['actor', life.index, life.restarts, begun++] as const
      const random = seededRandom(settings.actorSeed, ...key)
      const collector = new Collector({ environment, network, random, seed: random.below(MAX_ENVIRONMENT_SEED) })
      while (!life.stopped) step(collector, ring, slots, life)
    } finally {
      environment.close()
    }
  }
}

function step(collector: Collector, ring: ExperienceRing, slots: PolicySlots, life: ActorLife): void {
  life.rest(true)
  const experience = ring.next()
  if (experience === null) return
  const policy = slots.hold(life.index)
  if (policy === null) return
  life.rest(false)
  try {
    collector.collect(policy.arena, policy.version, experience)
  } finally {
    slots.release(life.index)
  }
  ring.commit()
}
