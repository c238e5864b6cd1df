/**
 * What being watched costs the learner:
 *
 *   npm run bench -- dashboard [--pairs 20] [--block-ms 1000]
 *
 * A whole daemon, and as its watchers this process: it follows both streams of the page (the policy plays meanwhile in a thread of the daemon)
 * and scrapes /metrics once a second. Blocks with watchers and without alternate (with, without, without, with) within one run, so that
 * whatever the machine does meanwhile falls on both. What a browser draws costs the daemon nothing and is left out.
 *
 * Prints one JSON line: the updates per CPU second of the learner's thread with watchers over those without (mean of the pairs, and the half
 * width of its 95 % interval). Leaves with 1 when the ratio is below 0.98.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const LEAST_RATIO = 0.98
/** Training before the first block: code is compiled, CartPole nearly solved, episodes long. */
const WARM_UP_MS = 5_000
/** After watchers come or go: the player's thread starts or ends. */
const SETTLE_MS = 1_000
const SCRAPE_MS = 1_000

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { pairs: { type: 'string', default: '20' }, 'block-ms': { type: 'string', default: '1000' } },
  })
  const folder = mkdtempSync(join(tmpdir(), 'grapevine-dashboard-'))
  const launcher = join(import.meta.dirname, '../../src/cli/grapevine.cjs')
  const flags = ['start', '--json', '--threshold', '1e9', '--data-dir', folder]
  const daemon = spawn(process.execPath, [launcher, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await address(daemon.stdout)
    await sleep(WARM_UP_MS)
    const logRatios: number[] = []
    let frames = 0
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const rates = { on: 0, off: 0 }
      for (const on of pair % 2 === 0 ? [true, false] : [false, true]) {
        const watchers = on ? watch(url) : null
        await sleep(SETTLE_MS)
        rates[on ? 'on' : 'off'] = await updatesPerCpuSecond(url, Number(values['block-ms']))
        frames += (await watchers?.()) ?? 0
      }
      logRatios.push(Math.log(rates.on / rates.off))
    }
    if (frames === 0) throw new Error('the policy never played')
    report(logRatios, frames)
  } finally {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function address(stdout: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const event = JSON.parse(line) as { event: string; http?: string }
    if (event.event !== 'listening' || event.http === undefined) continue
    stdout.resume()
    return event.http
  }
  throw new Error('the daemon ended before it listened')
}

/** Returns what sends the watchers away, which resolves with the frames of the policy that they saw. */
function watch(url: string): () => Promise<number> {
  const leaving = new AbortController()
  let frames = 0
  const follow = async (path: string) => {
    const { body } = await fetch(new URL(path, url), { signal: leaving.signal })
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) frames += chunk.split('event: frame').length - 1
  }
  const scrape = async () => {
    for (;;) {
      await (await fetch(new URL('/metrics', url), { signal: leaving.signal })).text()
      await sleep(SCRAPE_MS, undefined, { signal: leaving.signal })
    }
  }
  const all = [follow('/api/stream'), follow('/api/policy'), scrape()].map((each) => each.catch(() => undefined))
  return async () => {
    leaving.abort()
    await Promise.all(all)
    return frames
  }
}

async function updatesPerCpuSecond(url: string, blockMs: number): Promise<number> {
  const begin = await learned(url)
  await sleep(blockMs)
  const end = await learned(url)
  return (end.updates - begin.updates) / (end.cpuSeconds - begin.cpuSeconds)
}

/** Both from one message of the learner's thread, at most 100 ms old. */
async function learned(url: string): Promise<{ readonly updates: number; readonly cpuSeconds: number }> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  const found = { updates: value('grapevine_updates_total'), cpuSeconds: value('grapevine_learner_cpu_seconds_total') }
  if (Number.isNaN(found.updates + found.cpuSeconds)) throw new Error('this machine does not tell the CPU time of a thread')
  return found
}

function report(logRatios: readonly number[], frames: number): void {
  const n = logRatios.length
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / n
  const variance = logRatios.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const ratio = Math.exp(mean)
  const digits = (value: number): number => Number(value.toFixed(4))
  const plusMinus = digits(1.96 * Math.sqrt(variance / n))
  console.log(JSON.stringify({ bench: 'dashboard', pairs: n, policyFrames: frames, ratio: digits(ratio), plusMinus }))
  if (ratio < LEAST_RATIO) process.exitCode = 1
}
