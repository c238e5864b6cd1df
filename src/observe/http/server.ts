/**
 * The dashboard: the page, the JSON behind it, Server-Sent Events and `/metrics`, for one peer. What each route answers is in the README.
 *
 * It reads from `Observed` and changes nothing but by its commands. Every request passes `judge` first. `close` hangs up on everybody.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { renderSVG } from 'uqr'
import { GrapevineError, messageOf } from '../../util/errors.ts'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HTTP_CONNECTIONS, REQUEST_ARRIVAL_MS } from '../limits.ts'
import { type PageFile, readPage } from './files.ts'
import { type Door, judge } from './guard.ts'
import { Recorder } from './recorder.ts'
import { COMMANDS, type CommandName, type Observed } from './source.ts'
import { Streams } from './streams.ts'

export interface HttpAddress {
  /** An IP address; `0.0.0.0` and `::` are all interfaces. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export interface Dashboard {
  /** Where a browser on this machine finds the page: `http://127.0.0.1:8080/`. */
  readonly url: string
  close(): Promise<void>
}

/** Pages load nothing from elsewhere, run no script of a stranger, and are in nobody's frame. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

/** Throws GrapevineError `http_address` where it cannot listen. */
export async function serveDashboard(observed: Observed, address: HttpAddress, token: string): Promise<Dashboard> {
  const files = await readPage()
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_ARRIVAL_MS,
    headersTimeout: REQUEST_ARRIVAL_MS,
  })
  server.maxConnections = MAX_HTTP_CONNECTIONS
  await listen(server, address)
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port
  const hosts = reachable(address.host).map((host) => authority(host, port))
  const routes = new Routes(observed, files, { hosts: new Set(hosts), open: !isLoopback(address.host), token })
  server.on('request', (request, response) => void routes.answer(request, response))
  let closing: Promise<void> | null = null
  return {
    url: `http://${hosts[0]}/`,
    close: () => {
      closing ??= new Promise((done) => {
        routes.close()
        server.close(() => done())
        server.closeAllConnections()
      })
      return closing
    },
  }
}

class Routes {
  readonly #observed: Observed
  readonly #files: ReadonlyMap<string, PageFile>
  readonly #door: Door
  readonly #streams = new Streams()
  readonly #recorder: Recorder
  readonly #players: Streams
  #stopPlay: (() => void) | null = null

  constructor(observed: Observed, files: ReadonlyMap<string, PageFile>, door: Door) {
    this.#observed = observed
    this.#files = files
    this.#door = door
    this.#recorder = new Recorder(observed, this.#streams)
    this.#players = new Streams((watchers) => this.#playFor(watchers))
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const { method = 'GET', headers } = request
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const refusal = judge(
      {
        method,
        path,
        host: headers.host,
        origin: headers.origin,
        authorization: headers.authorization,
        contentType: headers['content-type'],
        fetchSite: one(headers['sec-fetch-site']),
        fetchMode: one(headers['sec-fetch-mode']),
      },
      this.#door,
    )
    try {
      if (refusal !== null) {
        if (refusal.status === 401)
          response.setHeader('www-authenticate', this.#door.open && method !== 'POST' ? 'Basic realm="grapevine"' : 'Bearer')
        request.resume()
        json(response, refusal.status, { error: { code: refusal.code, message: refusal.message } })
      } else if (method === 'POST') await this.#command(path, request, response)
      else await this.#read(path, response)
    } catch (error) {
      const [status, code] = error instanceof GrapevineError ? [error.code === 'not_running' ? 503 : 409, error.code] : [500, 'failed']
      if (response.headersSent) response.destroy()
      else json(response, status, { error: { code, message: messageOf(error) } })
    }
  }

  close(): void {
    this.#streams.close()
    this.#players.close()
    this.#playFor(0)
    this.#recorder.close()
  }

  async #read(path: string, response: ServerResponse): Promise<void> {
    const observed = this.#observed
    switch (path) {
      case '/metrics': {
        const { metrics } = this.#recorder
        const text = await metrics.text()
        response.setHeader('content-type', metrics.contentType)
        response.end(text)
        return
      }
      case '/api/status':
        return json(response, 200, this.#recorder.standing())
      case '/api/run':
        return json(response, 200, observed.facts)
      case '/api/curves':
        return json(response, 200, this.#recorder.curves.points)
      case '/api/events':
        return json(response, 200, this.#recorder.journal.latest())
      case '/api/invitation':
        return json(response, 200, { invitation: observed.invitation(), commands: this.#commands(), plays: observed.watch !== null })
      case '/api/invitation.svg': {
        const invitation = observed.invitation()
        if (invitation === null) return notFound(response)
        response.setHeader('content-type', 'image/svg+xml')
        response.end(renderSVG(invitation.word, { border: 2 }))
        return
      }
      case '/api/stream':
        if (!this.#streams.add(response)) return tooMany(response)
        return
      case '/api/policy':
        if (observed.watch === null) return notFound(response)
        if (!this.#players.add(response)) return tooMany(response)
        return
    }
    const file = this.#files.get(path)
    if (file === undefined) return notFound(response)
    response.setHeader('content-type', file.type)
    response.end(file.bytes)
  }

  #commands(): CommandName[] {
    return COMMANDS.filter((name) => this.#observed.commands[name] !== undefined)
  }

  async #command(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const name = COMMANDS.find((command) => path === `/api/${command}`)
    const command = name === undefined ? undefined : this.#observed.commands[name]
    if (command === undefined) return notFound(response)
    const peer = body === null ? '' : body.peer
    if (name === 'ban' && !/^[1-9A-HJ-NP-Za-km-z]{46,60}$/.test(peer)) {
      return json(response, 400, { error: { code: 'usage', message: 'ban needs the id of a peer: {"peer": "12D3KooW..."}.' } })
    }
    await command(peer)
    json(response, 200, { done: name })
  }

  #playFor(watchers: number): void {
    if (watchers === 0) {
      this.#stopPlay?.()
      this.#stopPlay = null
    } else {
      this.#stopPlay ??= this.#observed.watch!(
        (frame) => this.#players.send('frame', frame),
        (message) => this.#players.send('failed', { message }),
      )
    }
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

function notFound(response: ServerResponse): void {
  json(response, 404, { error: { code: 'not_found', message: 'There is nothing here; the README lists what there is.' } })
}

function tooMany(response: ServerResponse): void {
  json(response, 503, { error: { code: 'busy', message: 'Too many pages are open; close one and reload.' } })
}

/** What a command was given; null where it is no JSON object. */
async function bodyOf(request: IncomingMessage): Promise<{ readonly peer: string } | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new GrapevineError('too_large', 'local', `A command has at most ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { peer?: unknown } | null
    return value !== null && typeof value.peer === 'string' ? { peer: value.peer } : null
  } catch {
    return null
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function listen(server: Server, { host, port }: HttpAddress): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message
      const message = `Cannot serve the dashboard on ${authority(host, port)}: ${why}; choose another address with --http ADDR:PORT, or --no-http.`
      fail(new GrapevineError('http_address', 'local', message))
    })
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      // A failed accept (no file handles left) must not end the daemon.
      server.on('error', () => undefined)
      done()
    })
  })
}

/** The addresses under which `host` is reached, the best for a person first. */
function reachable(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host]
  const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const families = host === '::' ? ['IPv4', 'IPv6'] : ['IPv4']
  return [...new Set(['127.0.0.1', ...others.filter(({ family }) => families.includes(family)).map(({ address }) => address)])]
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}

function authority(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
