import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { askDaemon, serveControl, stopDaemon } from '../../src/node/control.ts'
import { MAX_CONTROL_REQUEST_BYTES, MAX_SOCKET_PATH_BYTES } from '../../src/node/limits.ts'
import { acquireLock } from '../../src/node/lock.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { temporaryFolder } from './folder.ts'

const well = { status: () => 'well', stop: () => undefined }
const unix = { skip: process.platform === 'win32' }

test('where no socket can be opened a sentence says so', unix, async () => {
  const gone = join(tmpdir(), 'grapevine-no-such-folder')
  await assert.rejects(serveControl(gone, { stop: () => undefined }), {
    code: 'data_dir',
    message: new RegExp(`^Cannot open the control socket in ${gone}: .*; choose another folder with --data-dir\\.$`),
  })
})

test('asks and answers, and is nobody else’s', async (context) => {
  const folder = await temporaryFolder(context)
  const server = await serveControl(folder, { status: async () => ({ steps: 5 }), stop: () => undefined })
  context.after(() => server.close())
  assert.deepEqual(await askDaemon(folder, 'status'), { steps: 5 })
  if (process.platform !== 'win32') assert.equal((await stat(join(folder, 'control.sock'))).mode & 0o777, 0o600)
  await server.close()
  await server.close()
  assert.deepEqual(await readdir(folder), [])
})

test('a failure of the daemon is thrown with its code', async (context) => {
  const folder = await temporaryFolder(context)
  const server = await serveControl(folder, {
    ...well,
    status: () => {
      throw new GrapevineError('busy', 'local', 'Not now.')
    },
  })
  context.after(() => server.close())
  await assert.rejects(askDaemon(folder, 'status'), { code: 'busy', message: 'Not now.' })
})

test('no daemon, and the socket that a killed one left behind', async (context) => {
  const folder = await temporaryFolder(context)
  await assert.rejects(askDaemon(folder, 'status'), { code: 'no_daemon', message: new RegExp(`No daemon runs in ${folder}`) })
  await writeFile(join(folder, 'control.sock'), '')
  await assert.rejects(askDaemon(folder, 'status'), { code: 'no_daemon' })
  const server = await serveControl(folder, well)
  context.after(() => server.close())
  assert.equal(await askDaemon(folder, 'status'), 'well')
})

test('a daemon that is still starting', async (context) => {
  const folder = await temporaryFolder(context)
  const lock = await acquireLock(folder)
  await assert.rejects(askDaemon(folder, 'status'), { code: 'not_ready', message: new RegExp(`Process ${process.pid} has ${folder}`) })
  await lock.release()
})

test('a path too long for a socket gets one elsewhere, which is removed at the end', unix, async (context) => {
  const folder = join(await temporaryFolder(context), 'x'.repeat(MAX_SOCKET_PATH_BYTES))
  await (await acquireLock(folder)).release()
  await assert.rejects(askDaemon(folder, 'status'), { code: 'no_daemon' })
  const server = await serveControl(folder, well)
  const path = await readFile(join(folder, 'control'), 'utf8')
  assert.ok(Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES)
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700)
  assert.equal(await askDaemon(folder, 'status'), 'well')
  // A daemon that was killed leaves both behind.
  const left = join(await mkdtemp(join(tmpdir(), 'grapevine-')), 'control.sock')
  await writeFile(left, '')
  await writeFile(join(folder, 'control'), left)
  const next = await serveControl(folder, well)
  await assert.rejects(stat(dirname(left)), { code: 'ENOENT' })
  await Promise.all([server.close(), next.close()])
  assert.deepEqual(await readdir(folder), [])
  await assert.rejects(stat(dirname(path)), { code: 'ENOENT' })
})

test('nonsense is answered or hung up on, and the next one is served', unix, async (context) => {
  const folder = await temporaryFolder(context)
  const server = await serveControl(folder, well)
  context.after(() => server.close())
  const confused = createConnection(join(folder, 'control.sock'))
  confused.write('{"command":"fly"}\nnot json\n')
  let text = ''
  while (text.split('\n').length < 3) text += String((await once(confused, 'data'))[0])
  for (const line of text.trim().split('\n')) {
    assert.deepEqual(JSON.parse(line).error, { code: 'usage', message: 'Unknown command; this daemon knows status, stop.' })
  }
  confused.destroy()
  const endless = createConnection(join(folder, 'control.sock'))
  endless.on('error', () => undefined)
  endless.write('x'.repeat(MAX_CONTROL_REQUEST_BYTES + 1))
  await once(endless, 'close')
  assert.equal(await askDaemon(folder, 'status'), 'well')
})

test('what is at the socket and is no daemon of this version', unix, async (context) => {
  const folder = await temporaryFolder(context)
  const message = `The daemon in ${folder} hung up or gave no answer that this version understands.`
  const answering = async (text: string | null) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume()
      if (text === null) socket.end()
      else socket.write(text)
    })
    server.listen(join(folder, 'control.sock'))
    await once(server, 'listening')
    await assert.rejects(askDaemon(folder, 'status'), { code: 'control', message }, String(text))
    server.close()
    await once(server, 'close')
  }
  for (const text of [null, 'well\n', '{"ok":false}\n']) await answering(text)
  const file = join(folder, 'file')
  await writeFile(file, '')
  const there = join(file, 'control.sock')
  await assert.rejects(askDaemon(file, 'status'), {
    code: 'control',
    message: `Cannot speak to the daemon in ${file}: connect ENOTDIR ${there}.`,
  })
})

test('stop waits until the folder is free', async (context) => {
  const folder = await temporaryFolder(context)
  const lock = await acquireLock(folder)
  let released = false
  const server = await serveControl(folder, {
    ...well,
    stop: () => {
      setImmediate(async () => {
        await server.close()
        released = true
        await lock.release()
      })
    },
  })
  await stopDaemon(folder)
  assert.equal(released, true)
  await assert.rejects(stopDaemon(folder), { code: 'no_daemon' })
})
