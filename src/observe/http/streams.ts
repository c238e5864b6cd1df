/**
 * Server-Sent Events to open pages. A page that does not read is hung up on once MAX_UNSENT_BYTES wait for it; its browser comes again.
 */
import type { ServerResponse } from 'node:http'
import { MAX_STREAMS, MAX_UNSENT_BYTES } from '../limits.ts'

export class Streams {
  readonly #open = new Set<ServerResponse>()
  readonly #onCount: (open: number) => void

  /** `onCount` hears how many are open, whenever that changes. */
  constructor(onCount: (open: number) => void = () => undefined) {
    this.#onCount = onCount
  }

  get size(): number {
    return this.#open.size
  }

  /** Answers with a stream; false, and nothing answered, where there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#open.size >= MAX_STREAMS) return false
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    // How soon a browser comes again after the connection broke.
    response.write('retry: 1000\n\n')
    this.#open.add(response)
    response.once('close', () => {
      this.#open.delete(response)
      this.#onCount(this.#open.size)
    })
    this.#onCount(this.#open.size)
    return true
  }

  /** One message to all; `only`: to this one. */
  send(name: string, data: unknown, only?: ServerResponse): void {
    if (this.#open.size === 0) return
    const message = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    for (const response of only === undefined ? this.#open : [only]) {
      if (response.writableLength > MAX_UNSENT_BYTES) response.destroy()
      else response.write(message)
    }
  }

  close(): void {
    for (const response of this.#open) response.end()
  }
}
