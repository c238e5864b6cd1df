/**
 * What gossip costs the learner, and what learning costs the sockets:
 *
 *   npm run bench -- stall [--pairs 30] [--block-ms 1000] [--min-period-ms 200]
 *
 * One peer, whole: libp2p, a learner thread, beacons, rounds. Its only partner is another process that gossips snapshots recorded from this
 * very learner and trains nothing. Blocks with gossip and without alternate (with, without, without, with) within one run, so that whatever
 * the machine does meanwhile falls on both. Without gossip the peer neither takes snapshots nor publishes nor hears a frame.
 *
 * Prints one JSON line: the updates per CPU second of the learner's thread with gossip over those without (mean of the pairs, and the half
 * width of its 95 % interval), and percentiles of the main thread's event-loop delay while training. Leaves with 1 when the ratio is
 * below 0.98 or the 99th percentile above 20 ms.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { codecNamed } from '../../src/average/codecs.ts'
import { systemClock } from '../../src/node/clock.ts'
import { systemLog } from '../../src/node/log.ts'
import { systemRandom } from '../../src/node/random.ts'
import { folderStorage } from '../../src/node/storage.ts'
import { threadWorkers } from '../../src/node/workers.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { foundRun } from '../../src/peer/found.ts'
import { Peer } from '../../src/peer/peer.ts'
import type { Run } from '../../src/peer/run.ts'
import { resolveSettings } from '../../src/peer/settings.ts'
import type { Learner, Snapshot } from '../../src/ports/learner.ts'
import type { Network } from '../../src/ports/network.ts'
import { createSwarm } from '../../src/swarm/host.ts'
import { encodedFrameBytes, encodeFrame } from '../../src/wire/frame.ts'
import { beaconTopic, parameterTopic } from '../../src/wire/protocol.ts'

const LEAST_RATIO = 0.98
const MOST_DELAY_MS = 20
/** Training before the first block: code is compiled, CartPole nearly solved, episodes long. */
const WARM_UP_MS = 5_000
const RECORDED_SNAPSHOTS = 20
/** Between recorded snapshots. */
const RECORD_EVERY_MS = 100
/** Resolution of the event loop's histogram, which counts this much for a loop without delay. */
const DELAY_RESOLUTION_MS = 1
/** After gossip is turned on or off, beside two rounds: what was on its way arrives and is mixed. */
const SETTLE_MS = 200

interface Recording {
  readonly address: string
  readonly runId: string
  readonly runPrefix: Uint8Array
  readonly codec: string
  readonly periodMs: number
  readonly payloads: readonly Uint8Array[]
  readonly versions: readonly number[]
}

type Order = { readonly record: Recording } | { readonly gossip: boolean }

export async function main(args: string[]): Promise<void> {
  if (args[0] === '--partner') return partner()
  const { values } = parseArgs({
    args,
    options: {
      pairs: { type: 'string', default: '30' },
      'block-ms': { type: 'string', default: '1000' },
      'min-period-ms': { type: 'string', default: '200' },
    },
  })
  const minPeriodMs = Number(values['min-period-ms'])
  const folder = mkdtempSync(join(tmpdir(), 'grapevine-stall-'))
  const workers = threadWorkers()
  const network = loopback(new Uint8Array(32).fill(1))
  const child = fork(join(import.meta.dirname, 'main.ts'), ['stall', '--partner'], { serialization: 'advanced' })
  try {
    await network.start(new AbortController().signal)
    const ports = { network, clock: systemClock, random: systemRandom, log, storage: folderStorage(folder), workers }
    const settings = resolveSettings({ command: 'start', addresses: [], flags: { threshold: '1e9' }, file: null, randomSeed: 1 })
    if (!('found' in settings.run)) throw new Error('start founds a run')
    const run = await foundRun(settings, settings.run.found, ports)
    await run.learner.run()
    await systemClock.sleep(WARM_UP_MS)
    await ordered(child, { record: await record(run, network.addresses()[0]!, minPeriodMs) })
    const gossip = { on: true }
    const firstMix = Promise.withResolvers<void>()
    let mixes = 0
    const emit = ({ event }: PeerEvent): void => {
      if (event !== 'mix') return
      mixes++
      firstMix.resolve()
    }
    const options = { incarnation: 1, minPeriodMs, knownAddresses: [], waitForPeers: 0, emit }
    const switched = { ...ports, network: switchedNetwork(network, gossip) }
    const peer = new Peer({ ...run, learner: switchedLearner(run.learner, gossip) }, switched, options)
    await peer.start()
    await ordered(child, { gossip: true })
    await firstMix.promise
    const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
    delay.enable()
    const logRatios: number[] = []
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const rates = { on: 0, off: 0 }
      for (const on of pair % 2 === 0 ? [true, false] : [false, true]) {
        gossip.on = on
        await ordered(child, { gossip: on })
        await systemClock.sleep(SETTLE_MS + 2 * minPeriodMs)
        const before = mixes
        rates[on ? 'on' : 'off'] = await updatesPerCpuSecond(run.learner, Number(values['block-ms']))
        if (on !== mixes > before) throw new Error(`gossip should be ${on ? 'on' : 'off'}, and ${mixes - before} snapshots were mixed`)
      }
      logRatios.push(Math.log(rates.on / rates.off))
    }
    delay.disable()
    await peer.stop()
    report(logRatios, (percentile) => delay.percentile(percentile) / 1e6 - DELAY_RESOLUTION_MS, mixes)
  } finally {
    child.kill()
    await workers.stop()
    await network.stop()
    rmSync(folder, { recursive: true })
  }
}

const log = systemLog({ level: 'warn', json: false })

function loopback(identitySeed: Uint8Array): Network {
  const listen = ['/ip4/127.0.0.1/tcp/0']
  return createSwarm({ identitySeed, listen, announce: [], mdns: false, clock: systemClock, random: systemRandom, log })
}

async function record(run: Run, address: string, periodMs: number): Promise<Recording> {
  const codec = codecNamed(run.manifest.averaging.codec)
  const payloads: Uint8Array[] = []
  const versions: number[] = []
  for (let i = 0; i < RECORDED_SNAPSHOTS; i++) {
    await systemClock.sleep(RECORD_EVERY_MS)
    const { parameters, version } = await run.learner.snapshot()
    const payload = new Uint8Array(codec.bytesFor(parameters.length))
    codec.encode(parameters, payload)
    payloads.push(payload)
    versions.push(version)
  }
  return { address, runId: run.id, runPrefix: run.prefix, codec: codec.id, periodMs, payloads, versions }
}

/** Sends an order and waits until it is carried out. */
async function ordered(child: ChildProcess, order: Order): Promise<void> {
  child.send(order)
  await once(child, 'message')
}

/** The learner as it is, but without gossip a snapshot is the last one again. */
function switchedLearner(learner: Learner, gossip: { readonly on: boolean }): Learner {
  let last: Snapshot | null = null
  return {
    describe: () => learner.describe(),
    run: () => learner.run(),
    hold: () => learner.hold(),
    reach: (updates, signal) => learner.reach(updates, signal),
    progress: () => learner.progress(),
    async snapshot() {
      if (gossip.on || last === null) last = await learner.snapshot()
      return last
    },
    mix: (delta) => learner.mix(delta),
    mergeNormalisers: (others) => learner.mergeNormalisers(others),
    setRateFactor: (factor) => learner.setRateFactor(factor),
    offerExperience: (most) => learner.offerExperience(most),
    takeExperience: (author, experience) => learner.takeExperience(author, experience),
    adopt: (replica) => learner.adopt(replica),
    saveState: (options) => learner.saveState(options),
    restoreState: (state) => learner.restoreState(state),
    onProgress: (listener) => learner.onProgress(listener),
    failed: learner.failed,
    stop: () => learner.stop(),
  }
}

/** The network as it is, but without gossip nobody listens and nothing is heard. */
function switchedNetwork(network: Network, gossip: { readonly on: boolean }): Network {
  return {
    id: network.id,
    addresses: () => network.addresses(),
    start: (signal) => network.start(signal),
    stop: () => network.stop(),
    publish: async (topic, bytes) => (gossip.on ? network.publish(topic, bytes) : 0),
    subscribe: (topic, maxBytes, validator) =>
      network.subscribe(topic, maxBytes, (author, bytes) => (gossip.on ? validator(author, bytes) : 'ignore')),
    unsubscribe: (topic) => network.unsubscribe(topic),
    subscribers: (topic) => (gossip.on ? network.subscribers(topic) : []),
    request: (peer, protocol, body, options) => network.request(peer, protocol, body, options),
    serve: (protocol, maxRequestBytes, handler) => network.serve(protocol, maxRequestBytes, handler),
    dial: (address, signal) => network.dial(address, signal),
    hangUp: (peer) => network.hangUp(peer),
    peers: () => network.peers(),
    onPeer: (listener) => network.onPeer(listener),
    counters: () => network.counters(),
  }
}

async function updatesPerCpuSecond(learner: Learner, blockMs: number): Promise<number> {
  const begin = await learner.reach(learner.progress().updates + 1)
  await systemClock.sleep(blockMs)
  const end = await learner.reach(learner.progress().updates + 1)
  if (begin.cpuMs === null || end.cpuMs === null) throw new Error('this machine does not tell the CPU time of a thread')
  return ((end.updates - begin.updates) / (end.cpuMs - begin.cpuMs)) * 1_000
}

function report(logRatios: readonly number[], delayMs: (percentile: number) => number, mixes: number): void {
  const n = logRatios.length
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / n
  const variance = logRatios.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const ratio = Math.exp(mean)
  const digits = (value: number): number => Number(value.toFixed(4))
  const delays = { p50: digits(delayMs(50)), p99: digits(delayMs(99)), max: digits(delayMs(100)) }
  console.log(
    JSON.stringify({
      bench: 'stall',
      pairs: n,
      mixes,
      ratio: digits(ratio),
      plusMinus: digits(1.96 * Math.sqrt(variance / n)),
      delayMs: delays,
    }),
  )
  if (ratio < LEAST_RATIO || delays.p99 > MOST_DELAY_MS) process.exitCode = 1
}

/** The other process: dials, listens, and while it is told to, publishes the recorded snapshots in turn, at the pace of a peer. */
async function partner(): Promise<void> {
  const network = loopback(new Uint8Array(32).fill(2))
  await network.start(new AbortController().signal)
  let timer: NodeJS.Timeout | undefined
  let recording: Recording | null = null
  let sequence = 0
  const publish = async ({ runId, runPrefix, codec, payloads, versions }: Recording): Promise<void> => {
    const turn = sequence++ % payloads.length
    const payload = payloads[turn]!
    const version = versions[turn]!
    const identity = { runPrefix, author: network.id, incarnation: 1, sequence, version, epoch: sequence }
    const count = payload.length / codecNamed(codec).bytesFor(1)
    const frame = encodeFrame({ ...identity, codec: codecNamed(codec).id, count, payload, normalisers: [] })
    await network.publish(parameterTopic(runId), frame)
  }
  process.on('message', async (order: Order) => {
    if ('record' in order) {
      recording = order.record
      const { address, runId, payloads } = recording
      await network.dial(address, new AbortController().signal)
      network.subscribe(beaconTopic(runId), 1024, () => 'accept')
      network.subscribe(parameterTopic(runId), encodedFrameBytes(payloads[0]!.length), () => 'accept')
    } else if (recording !== null) {
      const active = recording
      clearInterval(timer)
      if (order.gossip) timer = setInterval(() => void publish(active), active.periodMs)
    }
    process.send?.('done')
  })
  process.once('disconnect', () => process.exit())
}
