/**
 * The experience lane of one peer: offers what its learner found most worth showing, and pulls what others offer, a few of them at a time, every
 * so many updates. What is asked for is the last offer, made beforehand, so that a question costs its answer and nothing else. A broken answer is
 * refused with `bad_experience`, one of impossible rewards with `implausible_experience`; both cost trust, and a muted peer is not asked.
 * Learning never waits: offers and what is taken pass the learner between two updates.
 */
import type { Clock } from '../ports/clock.ts'
import type { ExperienceFormat, Learner, SharedExperience } from '../ports/learner.ts'
import type { Network, PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { KeyedGcra } from '../util/gcra.ts'
import {
  decodeExperienceRequest,
  decodeExperienceResponse,
  type ExperienceRefusal,
  type ExperienceResponse,
  encodeExperienceRequest,
  encodeExperienceResponse,
  mostTransitions,
  type OfferNumber,
} from '../wire/experience.ts'
import { MAX_EXPERIENCE_BYTES, MAX_REQUEST_BYTES } from '../wire/limits.ts'
import { EXPERIENCE_PROTOCOL } from '../wire/protocol.ts'
import { type Authors, isNewer } from './authors.ts'
import {
  EXPERIENCE_PACE,
  EXPERIENCE_PERIOD_UPDATES,
  EXPERIENCE_PULLS,
  EXPERIENCE_REQUEST_RATE,
  HOLDING_PERIOD_MS,
  MAX_AUTHORS,
  REQUEST_TIMEOUT_MS,
} from './limits.ts'

export interface ExperienceLaneOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly learner: Learner
  readonly format: ExperienceFormat
  /** First bytes of the run's id. */
  readonly runPrefix: Uint8Array
  readonly incarnation: number
  /** The least time between two averaging rounds, in milliseconds; pulls come EXPERIENCE_PACE times as seldom. */
  readonly minPeriodMs: number
  readonly authors: Authors
  /** Everybody who is there, oneself included. */
  readonly view: () => readonly PeerId[]
  /** May what this author sent be used? */
  readonly admits: (author: PeerId) => boolean
  /** Counts against a peer, and tells, what is wrong with a message of its. */
  readonly refuse: (peer: PeerId, code: string) => void
  readonly signal: AbortSignal
}

const NONE: OfferNumber = { incarnation: 0, sequence: 0 }

export class ExperienceLane {
  readonly #options: ExperienceLaneOptions
  readonly #asked = new KeyedGcra(EXPERIENCE_REQUEST_RATE, MAX_AUTHORS)
  readonly #counts = { experienceIn: 0, experienceOut: 0, experienceRefused: 0, experienceUnanswered: 0, experienceWithheld: 0 }
  #offer: { readonly number: OfferNumber; readonly bytes: Uint8Array; readonly size: number } | null = null
  #sequence = 0
  /** Updates made when experience was last exchanged. */
  #at = 0

  constructor(options: ExperienceLaneOptions) {
    this.#options = options
  }

  serve(): void {
    this.#options.network.serve(EXPERIENCE_PROTOCOL, MAX_REQUEST_BYTES, async (peer, bytes) => this.#answer(peer, bytes))
  }

  /** Transitions, or steps of rollouts: taken from others, given to them; answers refused, questions without one, own offers that nobody could take. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  /** Exchanges at its own pace until the signal aborts. */
  async run(): Promise<void> {
    const { learner, clock, minPeriodMs, signal } = this.#options
    while (!signal.aborted) {
      const startedAtMs = clock.now()
      const progress = await learner.reach(this.#at + this.period, signal)
      const paceMs = EXPERIENCE_PACE * minPeriodMs
      await clock.sleep(Math.max(0, startedAtMs + Math.max(paceMs, progress.holding ? HOLDING_PERIOD_MS : 0) - clock.now()), signal)
      if (progress.holding) continue
      await this.offer()
      await this.pull()
    }
  }

  /** Updates between two exchanges. */
  get period(): number {
    return EXPERIENCE_PERIOD_UPDATES[this.#options.format.kind]
  }

  /** Makes what others may ask for from now on. */
  async offer(): Promise<void> {
    const { learner, format, runPrefix, incarnation } = this.#options
    this.#at = learner.progress().updates
    const experience = await learner.offerExperience(format.kind === 'transitions' ? mostTransitions(format) : 1)
    if (experience === null) return
    const number = { incarnation, sequence: this.#sequence + 1 }
    try {
      const bytes = encodeExperienceResponse({ kind: 'experience', runPrefix, number, experience }, format)
      // What others would refuse, because an environment gave it, is not shown to them.
      decodeExperienceResponse(bytes, format)
      this.#sequence++
      this.#offer = { number, bytes, size: sizeOf(experience) }
    } catch {
      this.#counts.experienceWithheld++
    }
  }

  /** Asks some others, at random, for what is new. */
  async pull(): Promise<void> {
    const { network, authors, clock, random, view } = this.#options
    const nowMs = clock.now()
    const others = view().filter((id) => {
      const author = authors.get(id)
      return id !== network.id && !(author !== undefined && authors.isMuted(author, nowMs))
    })
    for (let i = 0; i < Math.min(EXPERIENCE_PULLS, others.length); i++) {
      const other = i + Math.floor(random.uniform() * (others.length - i))
      ;[others[i], others[other]] = [others[other]!, others[i]!]
    }
    await Promise.all(others.slice(0, EXPERIENCE_PULLS).map((id) => this.#pullFrom(id)))
  }

  async #pullFrom(peer: PeerId): Promise<void> {
    const { network, authors, clock, signal } = this.#options
    const after = authors.get(peer)?.experience ?? NONE
    let bytes: Uint8Array
    try {
      const limits = { maxResponseBytes: MAX_EXPERIENCE_BYTES, timeoutMs: REQUEST_TIMEOUT_MS, signal }
      bytes = await network.request(peer, EXPERIENCE_PROTOCOL, encodeExperienceRequest({ after }), limits)
    } catch (error) {
      // An answer over the limit is a message like any other that no honest peer sends.
      if (error instanceof GrapevineError && error.code === 'too_large') this.#refuse(peer, 'bad_experience')
      else this.#counts.experienceUnanswered++
      return
    }
    if (!signal.aborted) await this.#take(authors.hear(peer, clock.now()).id, bytes)
  }

  async #take(peer: PeerId, bytes: Uint8Array): Promise<void> {
    const { format, runPrefix, authors, clock, learner, admits } = this.#options
    let answer: ExperienceResponse
    try {
      answer = decodeExperienceResponse(bytes, format)
    } catch {
      return this.#refuse(peer, 'bad_experience')
    }
    if (answer.kind !== 'experience') return
    const author = authors.hear(peer, clock.now())
    if (!equalBytes(answer.runPrefix, runPrefix) || !isNewer(answer.number, author.experience)) return this.#refuse(peer, 'bad_experience')
    author.experience = answer.number
    if (!admits(peer)) return this.#refuse(peer, 'quota')
    if (!(await learner.takeExperience(peer, answer.experience))) return this.#refuse(peer, 'implausible_experience')
    this.#counts.experienceIn += sizeOf(answer.experience)
  }

  #refuse(peer: PeerId, code: string): void {
    this.#counts.experienceRefused++
    this.#options.refuse(peer, code)
  }

  #answer(peer: PeerId, bytes: Uint8Array): Uint8Array {
    const { clock, format } = this.#options
    let after: OfferNumber
    try {
      after = decodeExperienceRequest(bytes).after
    } catch (error) {
      const unknown = error instanceof GrapevineError && error.code === 'unknown_request'
      return encodeExperienceResponse(refusal(unknown ? 'unknown_request' : 'refused'), format)
    }
    if (this.#asked.take(peer, clock.now()) > 0) return encodeExperienceResponse(refusal('refused'), format)
    const offer = this.#offer
    if (offer === null || !isNewer(offer.number, after)) return encodeExperienceResponse({ kind: 'nothing' }, format)
    this.#counts.experienceOut += offer.size
    return offer.bytes
  }
}

/** Transitions, or steps of a rollout. */
function sizeOf(experience: SharedExperience): number {
  return experience.rewards.length
}

function refusal(code: ExperienceRefusal): ExperienceResponse {
  return { kind: 'error', code }
}
