/** A daemon with a dashboard, whole: what it tells and what it keeps to itself. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { createPeer } from '../../src/peer/daemon.ts'
import { resolveSettings } from '../../src/peer/settings.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

test('a daemon serves its dashboard, obeys its token, keeps it secret, and takes it along', async (context) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const settings = resolveSettings({ command: 'start', addresses: [], flags: { 'data-dir': dataDir }, file: null, randomSeed: 1 })
  const daemon = createPeer(settings, { log: quiet })
  context.after(() => daemon.stop())
  const events: PeerEvent[] = []
  daemon.on((event) => events.push(event))
  await daemon.start()
  const { url, token } = daemon.dashboard!
  const listening = events.find((event) => event.event === 'listening')
  assert.equal(listening?.http, url)
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/)
  const file = join(dataDir, 'http-token')
  assert.equal(readFileSync(file, 'utf8'), `${token}\n`)
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600)

  const command = async (name: string) => {
    const headers = { origin: new URL(url).origin, 'content-type': 'application/json', authorization: `Bearer ${token}` }
    return (await fetch(new URL(`/api/${name}`, url), { method: 'POST', headers, body: '{}' })).status
  }
  const read = async (path: string) => (await fetch(new URL(path, url))).text()
  assert.equal(await command('pause'), 200)
  assert.deepEqual([daemon.status().paused, JSON.parse(await read('/api/status')).paused], [true, true])
  const { steps } = daemon.status()
  assert.equal(daemon.status().steps, steps)
  assert.equal(await command('resume'), 200)
  assert.equal(daemon.status().paused, false)
  while (daemon.status().steps === steps) await new Promise((next) => setTimeout(next, 10))

  const key = readFileSync(join(dataDir, readdirSync(dataDir).find((name) => name.includes('identity'))!)).toString('latin1')
  const told = await Promise.all(['/', '/api/status', '/api/run', '/api/events', '/api/curves', '/api/invitation', '/metrics'].map(read))
  for (const text of [...told, JSON.stringify(events)]) {
    assert.ok(!text.includes(token))
    assert.ok(!text.includes(key))
  }
  assert.equal(await command('checkpoint'), 200)
  assert.ok(events.filter(({ event }) => event === 'checkpoint').length >= 1)
  assert.equal(await command('stop'), 200)
  assert.deepEqual(await daemon.finished, { reason: 'asked to stop' })
  assert.equal(readdirSync(dataDir).includes('http-token'), false)
  await assert.rejects(fetch(url))
})
