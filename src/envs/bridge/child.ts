/**
 * One Python child, seen from the thread that owns its pipes: one request at a time, each with a deadline. Whatever goes wrong with the
 * process itself (killed, ended, silent past the deadline, frames that make no sense) rejects with ChildFailure, what Python refuses in words
 * and a start past its deadline with a GrapevineError. After either the child is only good for `stop`.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { decodeHeader, HEADER_BYTES, type Header, isRowsLength, KIND, newFrame, type RowsLayout, setSequence } from './frames.ts'
import { CLOSE_GRACE_MS, LAST_WORDS_CHARACTERS, LAST_WORDS_MS, TEXT_BYTES_MAX } from './limits.ts'
import { ending, refused, slowStart, startFailure } from './refusals.ts'
import { SCRIPT } from './script.ts'

/** The process is lost; `message` continues "it ...". */
export class ChildFailure extends Error {}

interface Request {
  readonly expects: number
  /** Where rows are written to, and how long they may be; null for an answer in JSON. */
  readonly rows: { readonly into: Uint8Array; readonly layout: RowsLayout } | null
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: Error) => void
}

export class PythonChild {
  readonly #id: string
  readonly #python: string
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #exited: Promise<unknown>
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerBytes = 0
  #incoming: { readonly header: Header; readonly payload: Uint8Array } | null = null
  #payloadBytes = 0
  #request: Request | null = null
  #sequence = 0
  #lastWords = ''
  /** Why no request is taken any more. */
  #over: Error | null = null

  /** `id` is the environment's, for messages. */
  constructor(id: string, python: string) {
    this.#id = id
    this.#python = python
    this.#process = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    const { stdin, stdout, stderr } = this.#process
    this.#exited = new Promise<void>((resolve) => {
      this.#process.once('exit', () => resolve())
      this.#process.once('error', (error) => {
        this.#end(startFailure(id, python, error))
        resolve()
      })
    })
    this.#process.once('exit', (code, signal) => this.#onExit(code, signal))
    stdout.on('data', (chunk: Uint8Array) => this.#onData(chunk))
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARACTERS)
    })
    // A pipe that breaks says nothing that the exit does not say better.
    for (const pipe of [stdin, stdout, stderr]) pipe.on('error', () => undefined)
  }

  /** Undefined when the process never started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** The answer to `open`, as JSON says it. */
  async open(request: unknown, timeoutMs: number): Promise<unknown> {
    const text = new TextEncoder().encode(JSON.stringify(request))
    const frame = newFrame(KIND.open, text.length)
    frame.set(text, HEADER_BYTES)
    const answer = await this.#ask(frame, KIND.ready, null, timeoutMs)
    try {
      return JSON.parse(new TextDecoder().decode(answer))
    } catch {
      throw this.#end(new ChildFailure('answered in words that are not JSON'))
    }
  }

  /** Sends `frame` and writes the rows that answer it to `into`; resolves with the length of that payload. */
  async rows(frame: Uint8Array, layout: RowsLayout, into: Uint8Array, timeoutMs: number): Promise<number> {
    return (await this.#ask(frame, KIND.rows, { into, layout }, timeoutMs)).length
  }

  /** Ends the process and resolves when it is gone: politely first, unless `now`. */
  async stop(now: boolean): Promise<void> {
    this.#end(new ChildFailure('was told to end'))
    if (now) this.#process.kill('SIGKILL')
    else this.#process.stdin.end()
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_GRACE_MS)
    await this.#exited
    clearTimeout(deadline)
  }

  #ask(frame: Uint8Array, expects: number, rows: Request['rows'], timeoutMs: number): Promise<Uint8Array> {
    if (this.#over !== null) return Promise.reject(this.#over)
    this.#sequence = (this.#sequence + 1) >>> 0
    setSequence(frame, this.#sequence)
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#end(this.#late(expects, timeoutMs)), timeoutMs)
      this.#request = {
        expects,
        rows,
        resolve: (payload) => {
          clearTimeout(deadline)
          resolve(payload)
        },
        reject: (error) => {
          clearTimeout(deadline)
          reject(error)
        },
      }
      this.#process.stdin.write(frame)
    })
  }

  /** A child that never was ready would not be so the next time either. */
  #late(expects: number, timeoutMs: number): Error {
    if (expects === KIND.ready) return slowStart(this.#id, { python: this.#python, startTimeoutMs: timeoutMs })
    return new ChildFailure(`gave no answer for ${timeoutMs} ms`)
  }

  #onData(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && this.#over === null) {
      if (this.#incoming === null) {
        const part = chunk.subarray(at, at + HEADER_BYTES - this.#headerBytes)
        this.#header.set(part, this.#headerBytes)
        this.#headerBytes += part.length
        at += part.length
        if (this.#headerBytes === HEADER_BYTES) this.#begin()
      } else {
        const { payload } = this.#incoming
        const part = chunk.subarray(at, at + payload.length - this.#payloadBytes)
        payload.set(part, this.#payloadBytes)
        this.#payloadBytes += part.length
        at += part.length
        if (this.#payloadBytes === payload.length) this.#finish()
      }
    }
  }

  /** A header is complete: is it one that we wait for, and of a length that can be? */
  #begin(): void {
    const header = decodeHeader(this.#header)
    const request = this.#request
    const expected =
      header !== null && request !== null && header.sequence === this.#sequence && [request.expects, KIND.failed].includes(header.kind)
    if (!expected) {
      this.#end(new ChildFailure('wrote something that is no answer'))
      return
    }
    const rows = header.kind === KIND.rows ? request.rows : null
    const fits = rows === null ? header.length >= 1 && header.length <= TEXT_BYTES_MAX : isRowsLength(rows.layout, header.length)
    if (!fits) {
      this.#end(new ChildFailure(`announced an answer of ${header.length} bytes, which it cannot have`))
      return
    }
    this.#incoming = { header, payload: rows === null ? new Uint8Array(header.length) : rows.into.subarray(0, header.length) }
    this.#payloadBytes = 0
  }

  #finish(): void {
    const { header, payload } = this.#incoming!
    const { resolve } = this.#request!
    this.#incoming = null
    this.#headerBytes = 0
    if (header.kind === KIND.failed) {
      this.#end(this.#refusal(payload))
      return
    }
    this.#request = null
    resolve(payload)
  }

  #refusal(payload: Uint8Array): Error {
    try {
      return refused(this.#id, this.#python, JSON.parse(new TextDecoder().decode(payload)))
    } catch {
      return new ChildFailure('failed in words that are not JSON')
    }
  }

  async #onExit(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    // What it wrote last may still be on its way.
    if (signal === null)
      await Promise.race([once(this.#process.stderr, 'close'), new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))])
    this.#end(new ChildFailure(ending(code, signal, this.#lastWords)))
  }

  /** Takes no request any more; the first reason counts. */
  #end(error: Error): Error {
    if (this.#over !== null) return this.#over
    this.#over = error
    this.#request?.reject(error)
    this.#request = null
    return error
  }
}
