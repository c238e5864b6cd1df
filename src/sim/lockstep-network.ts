/**
 * The network of lock step: no time passes on it and nobody is connected to anybody in particular. A request reaches the peer it names, and
 * what is published all subscribers, at once.
 *
 * With loss, whatever passes between two peers in one step passes or fails as a whole: the fate of a pair (of a direction, for what is
 * published) is drawn once a step. With delays a request arrives so many steps later; its answer comes back at once.
 */
import type { Network, NetworkCounters, NetworkErrorCode, PeerId, RequestHandler, RequestOptions, Validator } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { joined } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'

export interface LockstepHubOptions {
  /** In [0, 1): how probable it is that an exchange or a publication fails. */
  readonly loss: number
  readonly random: Random
  /** Steps until a request arrives, drawn uniformly for each; null: at once. */
  readonly delaySteps: { readonly range: readonly [number, number]; readonly random: Random } | null
  /** Topics that are carried; on others nobody listens. */
  readonly carries: (topic: string) => boolean
}

interface Topic {
  readonly maxBytes: number
  readonly validator: Validator
}

export class LockstepHub {
  readonly options: LockstepHubOptions
  readonly members: LockstepNetwork[] = []
  readonly byId = new Map<PeerId, LockstepNetwork>()
  readonly #lost = new Map<string, boolean>()
  #step = 0
  /** What arrives in later steps. */
  readonly #arriving = new Map<number, (() => void)[]>()

  constructor(options: LockstepHubOptions) {
    this.options = options
  }

  join(id: PeerId): Network {
    const member = new LockstepNetwork(this, id, this.members.length)
    this.members.push(member)
    this.byId.set(id, member)
    return member
  }

  /** A new step: fates are drawn anew, and what was sent for it arrives. */
  step(): void {
    this.#lost.clear()
    this.#step++
    for (const arrive of this.#arriving.get(this.#step) ?? []) arrive()
    this.#arriving.delete(this.#step)
  }

  /** Resolves when a request that is sent now arrives; rejects with the reason of `signal`. */
  travel(signal: AbortSignal | undefined): Promise<void> {
    const { delaySteps } = this.options
    if (delaySteps === null) return Promise.resolve()
    const [low, high] = delaySteps.range
    const step = this.#step + low + Math.floor(delaySteps.random.uniform() * (high - low + 1))
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal?.reason)
      const arrive = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      if (step === this.#step) arrive()
      else this.#arriving.set(step, [...(this.#arriving.get(step) ?? []), arrive])
    })
  }

  /** The fate of `what` in this step. */
  lost(what: string): boolean {
    const { loss, random } = this.options
    if (loss === 0) return false
    let lost = this.#lost.get(what)
    if (lost === undefined) {
      lost = random.uniform() < loss
      this.#lost.set(what, lost)
    }
    return lost
  }
}

class LockstepNetwork implements Network {
  readonly id: PeerId
  readonly index: number
  readonly #hub: LockstepHub
  readonly #topics = new Map<string, Topic>()
  readonly #handlers = new Map<string, { readonly maxRequestBytes: number; readonly handler: RequestHandler }>()
  #stopped = false
  #bytesIn = 0
  #bytesOut = 0

  constructor(hub: LockstepHub, id: PeerId, index: number) {
    this.#hub = hub
    this.id = id
    this.index = index
  }

  addresses(): readonly string[] {
    return []
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopped = true
  }

  async publish(topic: string, bytes: Uint8Array): Promise<number> {
    if (!this.#hub.options.carries(topic)) return 0
    let handed = 0
    for (const member of this.#hub.members) {
      const listener = member.#topics.get(topic)
      if (listener === undefined || !this.#reaches(member) || bytes.length > listener.maxBytes) continue
      handed++
      this.#bytesOut += bytes.length
      if (this.#hub.lost(`${this.index}>${member.index}`)) continue
      member.#bytesIn += bytes.length
      listener.validator(this.id, bytes)
    }
    return handed
  }

  subscribe(topic: string, maxBytes: number, validator: Validator): void {
    this.#topics.set(topic, { maxBytes, validator })
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic)
  }

  subscribers(topic: string): readonly PeerId[] {
    if (!this.#hub.options.carries(topic)) return []
    return this.#hub.members.filter((member) => member.#topics.has(topic) && this.#reaches(member)).map(({ id }) => id)
  }

  async request(peer: PeerId, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const other = this.#hub.byId.get(peer)
    if (other === undefined || this.#stopped) throw failure('refused', `There is no peer ${peer} here.`)
    this.#bytesOut += body.length
    const pair = this.index < other.index ? `${this.index}-${other.index}` : `${other.index}-${this.index}`
    const served = other.#handlers.get(protocol)
    const lost = this.#hub.lost(pair)
    if (!lost) await this.#hub.travel(options.signal)
    if (lost || other.#stopped || served === undefined || body.length > served.maxRequestBytes) throw brokenOff(peer)
    other.#bytesIn += body.length
    let answer: Uint8Array
    try {
      answer = joined(await served.handler(this.id, body.slice()))
    } catch {
      throw brokenOff(peer)
    }
    if (answer.length > options.maxResponseBytes) throw failure('too_large', `The answer has ${answer.length} bytes.`)
    other.#bytesOut += answer.length
    this.#bytesIn += answer.length
    return answer
  }

  serve(protocol: string, maxRequestBytes: number, handler: RequestHandler): void {
    this.#handlers.set(protocol, { maxRequestBytes, handler })
  }

  async dial(address: string): Promise<PeerId> {
    throw failure('refused', `${address} cannot be dialled: in lock step nobody is at an address.`)
  }

  async hangUp(): Promise<void> {}

  peers(): readonly [] {
    return []
  }

  onPeer(): () => void {
    return () => undefined
  }

  counters(): NetworkCounters {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut }
  }

  #reaches(member: LockstepNetwork): boolean {
    return member !== this && !member.#stopped
  }
}

function brokenOff(peer: PeerId): GrapevineError<NetworkErrorCode> {
  return failure('reset', `Peer ${peer} broke off a request.`)
}

function failure(code: NetworkErrorCode, message: string): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(code, 'network', message)
}
