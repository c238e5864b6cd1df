/** `simulate --http`: the page of a simulation that goes on, and what a wrong address is told. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { grapevine, spawnCli } from './spawn.ts'

let home = ''
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'grapevine-'))
})
after(() => rm(home, { recursive: true, force: true }))

test('the page shows the swarm while it is simulated, and the summary comes when it is interrupted', async () => {
  const child = spawnCli(['simulate', '--nodes', '3', '--rounds', '1000000', '--http', '127.0.0.1:0', '--json'], home)
  const closed = once(child, 'close')
  const lines: Record<string, unknown>[] = []
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line) as Record<string, unknown>
    lines.push(event)
    if (event.event !== 'listening') continue
    const status = (await (await fetch(`${event.http}api/status`)).json()) as { peer: string; peers: unknown[]; environment: string }
    assert.equal(status.peer, event.peer)
    assert.equal(status.environment, 'CartPole-v1')
    assert.equal(status.peers.length, 2)
    const { commands, invitation } = (await (await fetch(`${event.http}api/invitation`)).json()) as Record<string, unknown>
    assert.deepEqual([commands, invitation], [['pause', 'resume', 'stop'], null])
    child.kill('SIGINT')
  }
  const [code] = await closed
  assert.equal(code, 0)
  assert.deepEqual(lines.find(({ event }) => event === 'listening')?.addresses, [])
  assert.equal(lines.at(-1)?.event, 'summary')
})

test('a page that cannot be', async () => {
  const wrong = await grapevine(['simulate', '--http', 'localhost:80'], home)
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /--http must be ADDRESS:PORT with an IP address, such as 127\.0\.0\.1:8080, not "localhost:80"\./)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const taken = await grapevine(['simulate', '--nodes', '2', '--rounds', '5', '--http', `127.0.0.1:${port}`], home)
  other.close()
  assert.equal(taken.code, 1)
  assert.match(taken.err, new RegExp(`Cannot serve the dashboard on 127.0.0.1:${port}: another program listens there`))
})
