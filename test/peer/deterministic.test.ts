/** The same command in two fresh data folders, with sockets and threads, gives the same run. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ALGORITHMS } from '../../src/learn/hyperparameters.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { createPeer } from '../../src/peer/daemon.ts'
import { resolveSettings } from '../../src/peer/settings.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Where a deterministic daemon stands after `steps` steps: its training episodes, and what its replica then makes of forty others. */
async function outcome(algo: string, steps: number, randomSeed: number): Promise<unknown> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gv-'))
  const flags = { algo, 'data-dir': dataDir, actors: 0, deterministic: true, seed: 3, until: `steps=${steps}`, 'eval-every': steps }
  const settings = resolveSettings({ command: 'start', addresses: [], flags, file: null, randomSeed })
  const daemon = createPeer(settings, { log: quiet })
  const events: PeerEvent[] = []
  daemon.on((event) => {
    events.push(event)
    if (event.event === 'evaluation') standing = daemon.status()
  })
  let standing: ReturnType<typeof daemon.status> | null = null
  try {
    await daemon.start()
    await daemon.finished
    await daemon.stop()
    const listening = events.find((event) => event.event === 'listening')
    const { steps: made, updates, episodes, returnMean } = standing!
    return { run: listening?.run, made, updates, episodes, returnMean, evaluations: events.filter(({ event }) => event === 'evaluation') }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

for (const algo of ALGORITHMS) {
  test(`--deterministic gives the same run twice with ${algo}`, { timeout: 60_000 }, async () => {
    const first = await outcome(algo, 3_000, 1)
    const { evaluations, returnMean } = first as { evaluations: unknown[]; returnMean: number }
    assert.equal(evaluations.length, 1)
    assert.ok(returnMean > 5)
    assert.deepEqual(await outcome(algo, 3_000, 2), first)
  })
}
