import assert from 'node:assert/strict'
import { once } from 'node:events'
import { getPriority, setPriority } from 'node:os'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

const PRIORITY = new URL('../../src/node/priority.ts', import.meta.url).href
const skip = process.platform === 'linux' ? false : 'priorities of threads are only set on Linux'

/** The niceness of a thread that stands `niceness` behind, twice. */
async function behind(niceness: number): Promise<number> {
  const worker = new Worker(
    `import(${JSON.stringify(PRIORITY)}).then(({ standBehind }) => {
      standBehind(${niceness})
      standBehind(${niceness})
      require('node:worker_threads').parentPort.postMessage(require('node:os').getPriority())
    })`,
    { eval: true },
  )
  const [found] = await once(worker, 'message')
  await worker.terminate()
  return found
}

test('a thread stands so far behind the main thread, however often it says so, and the main thread stays where it was', {
  skip,
}, async () => {
  const before = getPriority()
  assert.equal(await behind(3), Math.min(before + 3, 19))
  assert.equal(getPriority(), before)
})

test('no thread stands further behind than there is room', { skip }, async () => {
  assert.equal(await behind(40), 19)
})

test('a program that stands behind others keeps its threads behind itself', { skip }, async () => {
  const before = getPriority()
  setPriority(Math.min(before + 4, 19))
  assert.equal(await behind(3), Math.min(before + 7, 19))
})
