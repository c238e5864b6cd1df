/** A real disk that is really full: a small tmpfs, which only root on Linux may mount. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'

/** Room for a few checkpoints of CartPole's A2C learner, 126 kB each, and a filler. */
const DISK_BYTES = 2_097_152
/** For a machine of two cores with much else to do. */
const DEADLINE_MS = 60_000

/** The folder of a new disk, or why there is none. */
function smallDisk(context: TestContext): { readonly folder: string } | { readonly why: string } {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { why: 'only root on Linux can mount a small disk' }
  const folder = mkdtempSync(join(tmpdir(), 'gv-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'grapevine-test', folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    return { why: `no disk can be mounted here: ${error instanceof Error ? error.message.split('\n').at(-2) : ''}` }
  }
  context.after(() => {
    // Lazily: hooks run in the order in which they were made, so the daemon's comes later.
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return { folder }
}

test('a full disk stops checkpoints, with a warning for each, and nothing else; the next one after space returns succeeds', async (context) => {
  const disk = smallDisk(context)
  if ('why' in disk) return context.skip(disk.why)
  const dataDir = join(disk.folder, 'data')
  const daemon = TestDaemon.spawn(context, ['start', '--set', 'checkpointSeconds=1', '--no-http'], { dataDir })
  await daemon.event('checkpoint', DEADLINE_MS)
  await daemon.event('stats', DEADLINE_MS)
  const filler = join(disk.folder, 'filler')
  assert.throws(() => writeFileSync(filler, new Uint8Array(2 * DISK_BYTES)), { code: 'ENOSPC' })
  assert.ok(statSync(filler).size > DISK_BYTES / 4, 'the filler fills it')
  const from = daemon.events.length
  const failures = () => daemon.all('warning', from).filter(({ code }) => code === 'checkpoint_failed')
  await daemon.event('warning', DEADLINE_MS, () => failures().length >= 2, from)
  for (const { message } of failures()) assert.match(message, /^No checkpoint could be written; training goes on.*ENOSPC/)
  const steps = daemon.all('stats').at(-1)!.steps
  await daemon.event('stats', DEADLINE_MS, (stats) => stats.steps > steps, daemon.events.length)
  await daemon.event('warning', DEADLINE_MS, ({ code }) => code === 'record_failed', from)
  rmSync(filler)
  const { path } = await daemon.event('checkpoint', DEADLINE_MS, () => true, daemon.events.length)
  assert.ok(statSync(path).size > 0)
  assert.equal(await daemon.terminate(), 0)
  // What failed left nothing behind, and what comes next goes on from there.
  assert.deepEqual(
    readdirSync(join(dataDir, 'checkpoints')).filter((name) => !/^(best|\d{8})-[0-9a-f]{16}\.safetensors$/.test(name)),
    [],
  )
  const again = TestDaemon.spawn(context, ['start', '--resume', '--no-http', '--until', 'minutes=1'], { dataDir })
  await again.event('checkpoint', DEADLINE_MS)
  assert.deepEqual(again.all('warning'), [])
})
