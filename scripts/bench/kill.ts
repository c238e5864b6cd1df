/**
 * `npm run bench -- kill [--kills N] [--seed S] [--daemon]`: a process writes checkpoints one after the other and is killed (SIGKILL) at random
 * moments; after each kill the newest checkpoint must load whole, without one passed over, and incarnations must only rise. With `--daemon` it is
 * a real daemon that is killed and resumed (kill/daemon.ts). Prints JSON; leaves with 1 where something did not hold.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { folderStorage } from '../../src/node/storage.ts'
import { loadCheckpoint } from '../../src/store/checkpoints.ts'
import { seededRandom } from '../../src/util/random.ts'
import { killDaemon } from './kill/daemon.ts'

const WRITER = join(import.meta.dirname, 'kill/writer.ts')
/** After its first write a writer lives at most this long, in milliseconds: some ten checkpoints. */
const MAX_LIFE_MS = 100

const OPTIONS = {
  kills: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  daemon: { type: 'boolean', default: false },
} as const

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: OPTIONS })
  const kills = Number(values.kills)
  if (values.daemon) {
    const seconds = process.hrtime()[0]
    const outcome = await killDaemon(kills, Number(values.seed), 24 * 60, (soFar) => console.error(JSON.stringify(soFar)))
    console.log(JSON.stringify({ ...outcome, seconds: process.hrtime()[0] - seconds }))
    if (outcome.lost + outcome.damaged + outcome.strangers + outcome.reused > 0) process.exitCode = 1
    return
  }
  const random = seededRandom(Number(values.seed), 'kills')
  const folder = mkdtempSync(join(tmpdir(), 'grapevine-kill-'))
  const storage = folderStorage(folder)
  let incarnation = -1
  let written = 0
  let damaged = 0
  let reused = 0
  try {
    for (let kill = 0; kill < kills; kill++) {
      const child = fork(WRITER, [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      await once(child, 'message')
      await sleep(random.uniform() * MAX_LIFE_MS)
      child.kill('SIGKILL')
      await once(child, 'exit')
      const loaded = await loadCheckpoint(storage, folder)
      damaged += loaded.damaged.length
      // A later life's numbers are higher, whatever it had come to.
      if (loaded.facts.incarnation <= incarnation) reused++
      incarnation = loaded.facts.incarnation
      written = Number(/(\d+)-/.exec(loaded.name)![1])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(JSON.stringify({ kills, checkpoints: written, damaged, reused }))
  if (damaged > 0 || reused > 0) process.exitCode = 1
}
