/** Who listens to the events of a peer. One that throws is logged and keeps none of the others from hearing; after the last event nobody is told any more. */
import type { PeerEvent } from '../observe/events.ts'
import type { Log } from '../ports/log.ts'
import { messageOf } from '../util/errors.ts'

export class Listeners {
  readonly #log: Log
  readonly #listeners = new Set<(event: PeerEvent) => void>()
  #over = false

  constructor(log: Log) {
    this.#log = log
  }

  /** The returned function unsubscribes. */
  add(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(event: PeerEvent): void {
    if (this.#over) return
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        const message = messageOf(error)
        this.#log.error('a listener for events failed', { event: event.event, message })
      }
    }
  }

  tellLast(event: PeerEvent): void {
    this.tell(event)
    this.#over = true
  }
}
