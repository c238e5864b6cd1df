/**
 * How the command line speaks to a running daemon: a socket in its data folder that only the same user can open, one JSON request per line,
 * one JSON answer per line. Where the path would be too long for a socket, the socket lies in a private folder under the system's temporary
 * directory and the file `control` names it; on Windows it is a named pipe.
 *
 *   -> {"command":"status"}   (what a command takes beside its name stands next to it)
 *   <- {"ok":true,"result":{...}}   or   {"ok":false,"error":{"code":"...","message":"..."}}
 */
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { GrapevineError, messageOf } from '../util/errors.ts'
import {
  CONTROL_TIMEOUT_MS,
  MAX_CONTROL_ANSWER_BYTES,
  MAX_CONTROL_CONNECTIONS,
  MAX_CONTROL_REQUEST_BYTES,
  MAX_SOCKET_PATH_BYTES,
  STOP_POLL_MS,
  STOP_WAIT_MS,
} from './limits.ts'
import { lockHolder } from './lock.ts'
import { isRunning } from './processes.ts'

export type ControlCommand = 'status' | 'stop' | 'pause' | 'resume' | 'invite' | 'peers' | 'ban' | 'unban'

/** A whole request: the command and what it takes, not judged yet. */
export type ControlRequest = Readonly<Record<string, unknown>>

/** What each command does: a JSON value, or a GrapevineError thrown, which the client throws again. `stop` only sets off the stopping: its answer must go out before the server is closed. */
export type ControlHandlers = Readonly<Record<string, (request: ControlRequest) => unknown>>

export interface ControlServer {
  /** Hangs up on everybody and removes the socket; idempotent. */
  close(): Promise<void>
}

type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** Serves the folder whose lock the caller holds: whatever socket lies there is of a daemon that is gone. Throws `data_dir` where none can be opened. */
export async function serveControl(dataDir: string, handlers: ControlHandlers): Promise<ControlServer> {
  try {
    return await serve(dataDir, handlers)
  } catch (error) {
    if (error instanceof GrapevineError) throw error
    const message = `Cannot open the control socket in ${dataDir}: ${messageOf(error)}; choose another folder with --data-dir.`
    throw new GrapevineError('data_dir', 'local', message)
  }
}

async function serve(dataDir: string, handlers: ControlHandlers): Promise<ControlServer> {
  const place = await newSocketPath(dataDir)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(CONTROL_TIMEOUT_MS, () => socket.destroy())
    readLines(socket, MAX_CONTROL_REQUEST_BYTES, (line) => void reply(socket, line, handlers))
  })
  server.maxConnections = MAX_CONTROL_CONNECTIONS
  await listen(server, place.path)
  // The folder may be open to others; the socket is not.
  if (process.platform !== 'win32') await chmod(place.path, 0o600)
  let closing: Promise<void> | null = null
  const close = async () => {
    const closed = new Promise<void>((done) => server.close(() => done()))
    for (const socket of sockets) socket.destroy()
    await closed
    if (process.platform !== 'win32') await rm(place.path, { force: true })
    if (place.privateFolder !== null) await rmdir(place.privateFolder).catch(() => undefined)
    await rm(join(dataDir, 'control'), { force: true })
  }
  return { close: () => (closing ??= close()) }
}

/**
 * Sends one command to the daemon of a data folder. Fails with `no_daemon` when none runs there, `not_ready` when it is starting or leaving, `timeout` when it does not answer within
 * 5 s, `control` when it answers nonsense, or with the daemon's own code.
 */
export async function askDaemon(dataDir: string, command: ControlCommand, takes: ControlRequest = {}): Promise<unknown> {
  const path = await existingSocketPath(dataDir)
  const socket = createConnection(path)
  try {
    const line = await new Promise<string>((done, fail) => {
      socket.setTimeout(CONTROL_TIMEOUT_MS, () => fail(noAnswer(dataDir)))
      socket.on('error', fail)
      socket.on('close', () => fail(badAnswer(dataDir)))
      readLines(socket, MAX_CONTROL_ANSWER_BYTES, done)
      socket.on('connect', () => socket.write(`${JSON.stringify({ ...takes, command })}\n`))
    })
    const answer = parseAnswer(line)
    if (answer === null) throw badAnswer(dataDir)
    if (!answer.ok) throw new GrapevineError(answer.error.code, 'local', answer.error.message)
    return answer.result
  } catch (error) {
    throw error instanceof GrapevineError ? error : await unreachable(dataDir, error)
  } finally {
    socket.destroy()
  }
}

/** Asks the daemon to stop and waits until its process is gone or, where it is part of a longer program, its folder is free. */
export async function stopDaemon(dataDir: string): Promise<void> {
  const holder = await lockHolder(dataDir)
  await askDaemon(dataDir, 'stop')
  const deadlineMs = performance.now() + STOP_WAIT_MS
  while ((await lockHolder(dataDir)) !== null) {
    if (performance.now() > deadlineMs) {
      const pid = holder?.pid
      throw new GrapevineError(
        'timeout',
        'local',
        `The daemon in ${dataDir} is still there after ${STOP_WAIT_MS / 1000} s; end process ${pid}.`,
      )
    }
    await wait(STOP_POLL_MS)
  }
  const goneByMs = performance.now() + 1_000
  while (holder !== null && holder.pid !== process.pid && performance.now() < goneByMs && (await isRunning(holder)))
    await wait(STOP_POLL_MS)
}

async function reply(socket: Socket, line: string, handlers: ControlHandlers): Promise<void> {
  const result = await answerTo(line, handlers)
  if (!socket.destroyed) socket.write(`${JSON.stringify(result)}\n`)
}

async function answerTo(line: string, handlers: ControlHandlers): Promise<Answer> {
  try {
    const request = requestOf(line)
    const command = typeof request?.command === 'string' ? request.command : ''
    const handler = Object.hasOwn(handlers, command) ? handlers[command] : undefined
    if (request === null || handler === undefined) {
      return { ok: false, error: { code: 'usage', message: `Unknown command; this daemon knows ${Object.keys(handlers).join(', ')}.` } }
    }
    return { ok: true, result: (await handler(request)) ?? null }
  } catch (error) {
    const code = error instanceof GrapevineError ? error.code : 'failed'
    return { ok: false, error: { code, message: messageOf(error) } }
  }
}

function requestOf(line: string): ControlRequest | null {
  try {
    const request: unknown = JSON.parse(line)
    return typeof request === 'object' && request !== null ? (request as ControlRequest) : null
  } catch {
    return null
  }
}

function parseAnswer(line: string): Answer | null {
  try {
    const value = JSON.parse(line) as { ok?: unknown; error?: { code?: unknown; message?: unknown } } | null
    if (value?.ok === true) return value as Answer
    const fine = value?.ok === false && typeof value.error?.code === 'string' && typeof value.error.message === 'string'
    return fine ? (value as Answer) : null
  } catch {
    return null
  }
}

/** Calls `take` with each whole line; hangs up on a line over `maxBytes`. */
function readLines(socket: Socket, maxBytes: number, take: (line: string) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    for (let end = waiting.indexOf(10); end >= 0; end = waiting.indexOf(10)) {
      take(waiting.toString('utf8', 0, end))
      waiting = waiting.subarray(end + 1)
    }
    if (waiting.length > maxBytes) socket.destroy()
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(path, () => {
      server.off('error', fail)
      // A failed accept (no file handles left) must not end the daemon.
      server.on('error', () => undefined)
      done()
    })
  })
}

/** Where a new daemon listens; what an earlier one left there is removed. */
async function newSocketPath(dataDir: string): Promise<{ readonly path: string; readonly privateFolder: string | null }> {
  if (process.platform === 'win32') return { path: pipeName(dataDir), privateFolder: null }
  const path = join(dataDir, 'control.sock')
  const pointer = join(dataDir, 'control')
  const earlier = await socketElsewhere(dataDir)
  if (earlier !== null) {
    await rm(earlier, { force: true })
    await rmdir(dirname(earlier)).catch(() => undefined)
  }
  await rm(path, { force: true })
  await rm(pointer, { force: true })
  if (fitsSocket(path)) return { path, privateFolder: null }
  const privateFolder = await mkdtemp(join(tmpdir(), 'grapevine-'))
  const elsewhere = join(privateFolder, 'control.sock')
  if (!fitsSocket(elsewhere)) {
    throw new GrapevineError(
      'data_dir',
      'local',
      `The path ${dataDir} is too long for a socket, and so is ${privateFolder}; choose a shorter --data-dir.`,
    )
  }
  await writeFile(pointer, elsewhere, { mode: 0o600 })
  return { path: elsewhere, privateFolder }
}

async function existingSocketPath(dataDir: string): Promise<string> {
  if (process.platform === 'win32') return pipeName(dataDir)
  const path = join(dataDir, 'control.sock')
  if (fitsSocket(path)) return path
  const named = await socketElsewhere(dataDir)
  if (named === null) throw await noDaemon(dataDir)
  return named
}

/** The socket that the file `control` names; null when there is none that could be ours. */
async function socketElsewhere(dataDir: string): Promise<string | null> {
  const named = await readFile(join(dataDir, 'control'), 'utf8').catch(() => '')
  return fitsSocket(named) && /[\\/]grapevine-[^\\/]+[\\/]control\.sock$/.test(named) ? named : null
}

function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES
}

/** Pipe names are global on Windows, so the name is drawn from the folder's. */
function pipeName(dataDir: string): string {
  return `\\\\.\\pipe\\grapevine-${createHash('sha256').update(resolve(dataDir).toLowerCase()).digest('hex').slice(0, 32)}`
}

async function unreachable(dataDir: string, error: unknown): Promise<GrapevineError> {
  const nobody = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
  if (nobody) return noDaemon(dataDir)
  const reason = messageOf(error)
  return new GrapevineError('control', 'local', `Cannot speak to the daemon in ${dataDir}: ${reason}.`)
}

async function noDaemon(dataDir: string): Promise<GrapevineError> {
  const holder = await lockHolder(dataDir)
  if (holder !== null) {
    const message = `Process ${holder.pid} has ${dataDir} and does not answer yet: it is starting or leaving; try again in a moment.`
    return new GrapevineError('not_ready', 'local', message)
  }
  return new GrapevineError(
    'no_daemon',
    'local',
    `No daemon runs in ${dataDir}; start one there with --data-dir ${dataDir}, or name another folder.`,
  )
}

function noAnswer(dataDir: string): GrapevineError {
  return new GrapevineError(
    'timeout',
    'local',
    `The daemon in ${dataDir} did not answer within ${CONTROL_TIMEOUT_MS / 1000} s; it may be stuck or paused.`,
  )
}

function badAnswer(dataDir: string): GrapevineError {
  return new GrapevineError('control', 'local', `The daemon in ${dataDir} hung up or gave no answer that this version understands.`)
}
