/** The library as a program of one's own uses it: a registered environment, a peer on it, a second one that joins, all in this process. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { make } from '../../scripts/examples/my-env.ts'
import { createPeer, makeEnv, makeVectorEnv, type PeerEvent, registerEnv } from '../../src/index.ts'

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Resolves with the first event of that kind. */
function first<K extends PeerEvent['event']>(peer: ReturnType<typeof createPeer>, kind: K): Promise<Extract<PeerEvent, { event: K }>> {
  return new Promise((resolve) => {
    const off = peer.on((event) => {
      if (event.event !== kind) return
      off()
      resolve(event as Extract<PeerEvent, { event: K }>)
    })
  })
}

test('an environment registered in the program is trained on by two peers of it', async (context) => {
  registerEnv('Corridor/Here-v0', { make, threshold: 0.95, maxEpisodeSteps: 50 })
  assert.equal(makeEnv('Corridor/Here-v0').reset({ seed: 1 }).observation.length, 2)
  assert.equal(makeVectorEnv('Corridor/Here-v0', 3).count, 3)
  const founder = createPeer({ env: 'Corridor/Here-v0', 'data-dir': folder(context) })
  context.after(() => founder.stop())
  const solved = first(founder, 'solved')
  await founder.start()
  assert.ok((await solved).returnMean >= 0.95)
  const joiner = createPeer({ join: founder.status().addresses, 'data-dir': folder(context) })
  context.after(() => joiner.stop())
  const joined = first(joiner, 'joined')
  const mixed = first(joiner, 'mix')
  await joiner.start()
  assert.equal((await joined).from, founder.status().peer)
  assert.equal((await mixed).with, founder.status().peer)
  assert.equal(joiner.status().environment, 'Corridor/Here-v0')
  await joiner.stop()
  await founder.stop()
  assert.deepEqual(await founder.finished, { reason: 'stopped' })
})

test('a peer of the library trains a network of its own, in this thread and in one of its own', async (context) => {
  registerEnv('Corridor/Own-v0', { make, threshold: 0.95, maxEpisodeSteps: 50 })
  const network = join(import.meta.dirname, '../../scripts/examples/my-model.ts')
  for (const env of ['Corridor/Own-v0', 'CartPole-v1']) {
    const peer = createPeer({ env, network, 'data-dir': folder(context) })
    context.after(() => peer.stop())
    const learned = new Promise<void>((resolve) => void peer.on((event) => event.event === 'stats' && event.updates > 0 && resolve()))
    await peer.start()
    assert.match(peer.status().engine, /^tfjs /)
    await learned
    await peer.stop()
  }
  assert.throws(() => createPeer({ network: './nowhere.ts' }), { code: 'network_module' })
})

test('a library peer lists the faults of its settings at once', () => {
  assert.throws(() => createPeer({ env: 'Nope-v0', algo: 'sarsa' }), { message: /Nope-v0[\s\S]*sarsa/ })
})
