/** The command line with a real daemon behind it: how it leaves, what it says when it cannot start, and what `status` and `stop` see. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerEvent } from '../../src/observe/events.ts'
import { grapevine, spawnCli } from './spawn.ts'

function temporaryHome(context: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(home, { recursive: true, force: true }))
  return home
}

/** A daemon that listens and, to leave the machine to others, does not train; `events` grows as it goes on. */
async function daemon(context: TestContext, home: string) {
  const child = spawnCli(['start', '--json', '--until', 'minutes=5', '--wait-for-peers', '1'], home)
  context.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'close')
  const events: PeerEvent[] = []
  const listening = Promise.withResolvers<Extract<PeerEvent, { event: 'listening' }>>()
  ended.then(() => listening.reject(new Error('the daemon ended before it listened')))
  createInterface(child.stdout).on('line', (line) => {
    const event = JSON.parse(line) as PeerEvent
    events.push(event)
    if (event.event === 'listening') listening.resolve(event)
  })
  return { child, events, ended, listening: await listening.promise }
}

async function exitOf(ended: Promise<unknown[]>, child: ChildProcess, signal: NodeJS.Signals): Promise<{ code: unknown; ms: number }> {
  const before = performance.now()
  child.kill(signal)
  const [code] = await ended
  return { code, ms: performance.now() - before }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal}: leaves within 2 s with 0, and its folder is free`, { skip: process.platform === 'win32' }, async (context) => {
    const home = temporaryHome(context)
    const { child, events, ended } = await daemon(context, home)
    const { code, ms } = await exitOf(ended, child, signal)
    assert.equal(code, 0)
    // Two seconds for leaving, the rest for a busy machine.
    assert.ok(ms < 4_000, `it took ${ms} ms`)
    const last = events.at(-1)
    assert.ok(last?.event === 'stopped' && last.reason === 'interrupted', JSON.stringify(last))
    const left = readdirSync(join(home, '.grapevine', 'default'))
    assert.deepEqual(
      left.filter((name) => ['lock', 'control', 'control.sock'].includes(name)),
      [],
    )
  })
}

test('a signal while it starts gives the start up: 0, and its folder is free', {
  skip: process.platform === 'win32',
}, async (context) => {
  const home = temporaryHome(context)
  const folder = join(home, 'data')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = spawnCli(['start', '--json', '--data-dir', folder, '--until', 'minutes=5'], home)
    context.after(() => child.kill('SIGKILL'))
    const written = text(child.stdout)
    // The lock is the first that a start leaves outside of its process.
    while (!existsSync(join(folder, 'lock')) && child.exitCode === null) await sleep(2)
    const { code } = await exitOf(once(child, 'close'), child, signal)
    assert.equal(code, 0)
    assert.match(await written, /{"event":"stopped","reason":"interrupted","steps":\d+}\n$/)
    assert.deepEqual(
      readdirSync(folder).filter((name) => ['lock', 'control', 'control.sock'].includes(name)),
      [],
    )
  }
})

test('a reader of stdout that goes away ends the daemon with 0', async (context) => {
  const home = temporaryHome(context)
  const { child, ended } = await daemon(context, home)
  child.stdout.destroy()
  assert.deepEqual(await ended, [0, null])
})

test('beside a daemon that runs', async (context) => {
  const home = temporaryHome(context)
  const { child, listening, ended } = await daemon(context, home)
  const [address = ''] = listening.addresses
  const folder = join(home, '.grapevine', 'default')

  await context.test('status, for a program and for a person', async () => {
    const json = await grapevine(['status', '--json'], home)
    assert.equal(json.code, 0)
    const status = JSON.parse(json.out)
    assert.deepEqual([status.peer, status.run, status.environment], [listening.peer, listening.run, 'CartPole-v1'])
    assert.match((await grapevine(['status', '--data-dir', folder], home)).out, /^run +CartPole-v1 /)
  })

  await context.test('its data folder is in use: exit 1, naming its process', async () => {
    const { code, err } = await grapevine(['start', '--data-dir', folder], home)
    assert.equal(code, 1)
    assert.match(err, new RegExp(`is in use by process ${child.pid};`))
  })

  await context.test('its port is in use: exit 1, naming the port', async () => {
    const port = /\/tcp\/(\d+)/.exec(address)?.[1]
    const { code, err } = await grapevine(['start', '--listen', `127.0.0.1:${port}`], home)
    assert.equal(code, 1)
    assert.match(err, new RegExp(`/tcp/${port} is in use`))
    // Without a name the next default folder was taken, and given back.
    assert.deepEqual(readdirSync(join(home, '.grapevine')).sort(), ['default', 'default-2'])
    assert.ok(!readdirSync(join(home, '.grapevine', 'default-2')).includes('lock'))
  })

  await context.test('another identity than the address names: exit 3', async () => {
    const stranger = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
    const { code, out } = await grapevine(['join', address.replace(listening.peer, stranger), '--json'], home)
    assert.deepEqual([code, JSON.parse(out).code], [3, 'wrong_peer'])
  })

  await context.test('stop waits until it is gone', async () => {
    const { code, out, err } = await grapevine(['stop'], home)
    assert.deepEqual([code, out, err], [0, `stopped the daemon in ${folder}\n`, ''])
    assert.deepEqual(await ended, [0, null])
    assert.equal((await grapevine(['stop'], home)).code, 1)
  })
})

async function tcpServer(context: TestContext, answer: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an address that leads nowhere: exit 3, saying which way', async (context) => {
  const home = temporaryHome(context)
  const refused = await grapevine(['join', '127.0.0.1:1', '--json'], home)
  assert.deepEqual([refused.code, JSON.parse(refused.out).code], [3, 'refused'])
  assert.match(refused.err, /^grapevine: \/ip4\/127\.0\.0\.1\/tcp\/1 refused the connection/)
  const shell = await grapevine(['join', await tcpServer(context, 'SSH-2.0-OpenSSH_9.6\r\n'), '--json'], home)
  assert.deepEqual([shell.code, JSON.parse(shell.out).code], [3, 'other_network'])
  const web = await grapevine(['join', await tcpServer(context, 'HTTP/1.1 400 Bad Request\r\n\r\n'), '--json'], home)
  assert.deepEqual([web.code, JSON.parse(web.out).code], [3, 'other_network'])
})
