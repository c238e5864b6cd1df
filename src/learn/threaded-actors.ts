/**
 * Actors in threads of their own, as a source of rollouts: policies go out through slots in the engine's memory, rollouts come back through a ring
 * of each actor, oldest first. The threads start with the first policy. What one actor does is `actOn`.
 */

import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import { type ActorJob, type ActorLife, type ActorThreads, MAX_ENVIRONMENT_SEED, NO_FAULTS, type RunningActors } from './actors.ts'
import { Collector, experienceShape } from './collector.ts'
import type { Arena } from './engine.ts'
import type { WasmEngine } from './engines/wasm.ts'
import type { WasmNetwork } from './engines/wasm-network.ts'
import { overlappingEnvironments } from './environments.ts'
import { ladder } from './epsilon.ts'
import type { Experience, ExperienceShape, ExperienceSource } from './experience.ts'
import { resolveHyperparameters } from './hyperparameters.ts'
import { THREAD_ROLLOUT_STEPS } from './limits.ts'
import { QCollector } from './q-collector.ts'
import { ARRIVALS, ExperienceRing, ringBytes, SHARED_WORDS } from './shared/experience-ring.ts'
import { PolicySlots, policySlotBuffer, policySlotCount } from './shared/policy-slots.ts'
import { waitWhile } from './shared/waiting.ts'

/** Whose actors collect rollouts. */
type Kind = Exclude<ActorJob['kind'], 'a3c'>

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

  /** `network` lies in `memory`; `shape` is that of one actor. */
  constructor(
    kind: Kind,
    threads: ActorThreads,
    settings: LearnerSettings,
    memory: WebAssembly.Memory,
    network: WasmNetwork,
    shape: ExperienceShape,
  ) {
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
      kind,
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
export function actOn({ kind, settings, addresses, buffers }: ActorJob, engine: WasmEngine, life: ActorLife): () => void {
  const plan = kind === 'apex' ? qActor(settings, buffers.length - RINGS) : policyActor(settings)
  const [policies, arrivals, ...rings] = buffers
  let network: WasmNetwork | null = null
  let begun = 0
  return () => {
    const environments = overlappingEnvironments(settings, plan.environments, life)
    try {
      const rows = environments.reduce((sum, { count }) => sum + count, 0)
      network ??= engine.build(settings.network, rows)
      const built = network
      const shape = { ...plan.shape(environments[0]!), environments: rows }
      const slots = new PolicySlots(
        addresses.map((address) => built.attach(address)),
        policies!,
      )
      const ring = new ExperienceRing(shape, life.index * shape.environments, rings[life.index]!, new Int32Array(arrivals!))
      const key = ['actor', life.index, life.restarts, begun++] as const
      const random = seededRandom(settings.actorSeed, ...key)
      const collector = plan.collector({ environments, network, random, seed: random.below(MAX_ENVIRONMENT_SEED) }, life.index)
      while (!life.stopped) step(collector, ring, slots, life)
    } finally {
      for (const environment of environments) environment.close()
    }
  }
}

/** Buffers of a job before its rings. */
const RINGS = 2

type CollectorOptions = ConstructorParameters<typeof Collector>[0]

/** What the actors of one algorithm are made of. */
interface ActorPlan {
  readonly environments: number
  shape(environment: WrappedVector): ExperienceShape
  collector(options: CollectorOptions, index: number): Pick<Collector, 'collect'>
}

function policyActor({ algorithm }: LearnerSettings): ActorPlan {
  const { environments, rolloutLength } = resolveHyperparameters('impala', algorithm.hyperparameters)
  return {
    environments,
    shape: (environment) => experienceShape(environment, rolloutLength),
    collector: (options) => new Collector(options),
  }
}

/** Each of the `actors` explores on its stretch of one ladder. */
function qActor({ algorithm, actorSeed }: LearnerSettings, actors: number): ActorPlan {
  const own = resolveHyperparameters('apex', algorithm.hyperparameters)
  const { environments, rolloutLength } = own
  return {
    environments,
    shape: (environment) => ({ ...experienceShape(environment, Math.max(rolloutLength, THREAD_ROLLOUT_STEPS)), qValues: true }),
    collector(options, index) {
      const count = options.environments.reduce((sum, part) => sum + part.count, 0)
      const epsilons = ladder(actors * count, actorSeed, own).subarray(index * count, (index + 1) * count)
      return new QCollector({ ...options, epsilons })
    },
  }
}

function step(collector: Pick<Collector, 'collect'>, ring: ExperienceRing, slots: PolicySlots, life: ActorLife): void {
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
