/** What the parts of the network contract share: networks of one test, and waiting for them. */
import assert from 'node:assert/strict'
import type { Network, NetworkErrorCode, PeerId } from '../../src/ports/network.ts'
import { GrapevineError } from '../../src/util/errors.ts'

export interface NetworkHarness {
  /** A new network that can reach the others of this harness, not started. */
  create(): Network
  /** Lets time pass, virtual or real, until `done` holds; fails when it takes more than a few seconds. */
  until(done: () => boolean): Promise<void>
  /** An address at which nobody listens. */
  nobody(): Promise<string>
  /** Checks that nothing is left after all networks were stopped. */
  assertNothingLeft(): Promise<void>
}

export const TOPIC = '/grapevine/1/00112233445566778899/beacon'
export const PROTOCOL = '/grapevine/echo/1'
export const OPTIONS = { maxResponseBytes: 1_000_000, timeoutMs: 5_000 }
export const forever = new AbortController().signal

/** Most bytes of a message where `listen` was called. */
export const MAX_MESSAGE_BYTES = 100

export interface Heard {
  readonly author: PeerId
  readonly text: string
}

export class NetworkFixture {
  readonly #createHarness: () => NetworkHarness
  #harness: NetworkHarness
  #networks: Network[] = []

  constructor(createHarness: () => NetworkHarness) {
    this.#createHarness = createHarness
    this.#harness = createHarness()
  }

  reset(): void {
    this.#harness = this.#createHarness()
    this.#networks = []
  }

  get harness(): NetworkHarness {
    return this.#harness
  }

  create(): Network {
    const network = this.#harness.create()
    this.#networks.push(network)
    return network
  }

  async started(count: number): Promise<Network[]> {
    const networks = Array.from({ length: count }, () => this.create())
    await this.settled(Promise.all(networks.map((network) => network.start(forever))))
    return networks
  }

  async stopAll(): Promise<void> {
    await this.settled(Promise.all(this.#networks.map((network) => network.stop())))
  }

  until(done: () => boolean): Promise<void> {
    return this.#harness.until(done)
  }

  /** Waits for `promise` while time passes. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let done = false
    const finish = () => {
      done = true
    }
    promise.then(finish, finish)
    await this.until(() => done)
    return promise
  }

  async connect(from: Network, to: Network): Promise<void> {
    assert.equal(await this.settled(from.dial(to.addresses()[0]!, forever)), to.id)
    await this.until(() => isConnected(from, to) && isConnected(to, from))
  }

  async failsWith(code: NetworkErrorCode, promise: Promise<unknown>): Promise<GrapevineError> {
    const error = await this.settled(
      promise.then(
        () => null,
        (reason: unknown) => reason,
      ),
    )
    assert.ok(error instanceof GrapevineError, `expected ${code}, got ${error}`)
    assert.equal(error.code, code, error.message)
    return error
  }

  /** Subscribes; the list grows with what is heard. */
  listen(network: Network, accepts = (_text: string) => true): Heard[] {
    const heard: Heard[] = []
    network.subscribe(TOPIC, MAX_MESSAGE_BYTES, (author, bytes) => {
      const text = new TextDecoder().decode(bytes)
      heard.push({ author, text })
      return accepts(text) ? 'accept' : 'reject'
    })
    return heard
  }

  /** Waits until `network` knows as many subscribers. */
  knows(network: Network, count: number): Promise<void> {
    return this.until(() => network.subscribers(TOPIC).length === count)
  }

  say(network: Network, text: string): Promise<number> {
    return this.settled(network.publish(TOPIC, new TextEncoder().encode(text)))
  }
}

export function isConnected(network: Network, other: Network): boolean {
  return network.peers().some(({ id }) => id === other.id)
}
