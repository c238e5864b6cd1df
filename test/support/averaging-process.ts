/**
 * Entry of a process that averages and does not learn: the real network, a peer whose rounds are driven, a replica of the wanted size from
 * N(0, 1). Started by `startAveraging` (averaging.ts), which it serves over the channel between the processes.
 */
import process from 'node:process'
import { meanOf, squaredDistance } from '../../src/average/distance.ts'
import { InlineLearner } from '../../src/learn/inline-learner.ts'
import { systemClock } from '../../src/node/clock.ts'
import { ThreadCompute } from '../../src/node/compute.ts'
import { foundRun } from '../../src/peer/found.ts'
import { Peer } from '../../src/peer/peer.ts'
import type { PeerPorts } from '../../src/peer/run.ts'
import { resolveSettings } from '../../src/peer/settings.ts'
import type { Learner } from '../../src/ports/learner.ts'
import { StillCore } from '../../src/sim/still-core.ts'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { createSwarm } from '../../src/swarm/host.ts'
import { seededRandom } from '../../src/util/random.ts'
import { parameterTopic } from '../../src/wire/protocol.ts'
import { type Answer, LOOKED, type Look, type Order, type Start } from './averaging.ts'
import { floatsOf, identityOf, startValues, textOf } from './averaging-values.ts'

/** Coordinates that a distance is measured at: of independent normal values, to about half a percent of the squared distance. */
const SAMPLED_COORDINATES = 65_536

const start = JSON.parse(process.argv[2]!) as Start
const { index, dimension, flags } = start
const log = { debug() {}, info() {}, warn() {}, error() {} }
const network = createSwarm({
  identitySeed: identityOf(index),
  listen: ['/ip4/127.0.0.1/tcp/0'],
  announce: [],
  mdns: false,
  log,
  random: seededRandom('network', index),
  clock: systemClock,
})
await network.start(new AbortController().signal)
const compute = new ThreadCompute()
const learnerOf = async (settings: ConstructorParameters<typeof StillCore>[0]): Promise<Learner> =>
  new InlineLearner(new StillCore(settings), systemClock, { updateMs: 1, sliceUpdates: 1 })
const workers = {
  learner: learnerOf,
  evaluator() {
    throw new Error('nothing is evaluated here')
  },
  compute,
  stop: () => compute.stop(),
}
const ports: PeerPorts = { network, clock: systemClock, random: seededRandom('peer', index), log, storage: new MemoryStorage(), workers }
const settings = resolveSettings({
  command: 'start',
  addresses: [],
  flags: { deterministic: true, seed: 1, robust: 'none', ...flags },
  file: null,
  randomSeed: 1,
})
if (!('found' in settings.run)) throw new Error('a run is founded here')
// Every process founds the same run: the same manifest has the same id.
const run = await foundRun(
  settings,
  {
    ...settings.run.found,
    network: {
      input: [4],
      torso: [],
      heads: [{ name: 'output', layers: [], size: 1, gain: 1 }],
      vectors: [{ name: 'vector', size: dimension - 5, initial: 0 }],
    },
  },
  ports,
)
let view: readonly string[] = [network.id]
const mixes: { with: string; atMs: number }[] = []
const wallMs = () => performance.timeOrigin + performance.now()
const peer = new Peer(run, ports, {
  incarnation: 1_000_000 + index,
  minPeriodMs: 0,
  knownAddresses: [],
  waitForPeers: 1_000,
  pace: 'driven',
  view: () => view,
  emit: (event) => {
    if (event.event === 'mix') mixes.push({ with: event.with, atMs: wallMs() })
  },
})
await peer.start()
let values = new Float32Array(0)
const adopt = async (seed: number) => {
  values = startValues(seed, index, dimension)
  await run.learner.adopt({ parameters: values, target: null, version: 0, steps: 0, normalisers: [] })
}
await adopt(0)

/** All that others published has arrived, or five seconds have passed. */
async function delivered(): Promise<void> {
  const untilMs = systemClock.now() + 5_000
  const arrived = () => {
    const mass = peer.mass()
    if (mass !== null) return mass.sent.length === 0
    return peer.authors.values().filter((author) => author.pending !== null).length >= view.length - 1
  }
  while (!arrived() && systemClock.now() < untilMs) await systemClock.sleep(2)
}

/**
 * Gossip flows a moment after the connection stands, and drops what is published before: a beacon of everybody has come, and everybody is known to
 * take parameters, or twenty seconds have passed.
 */
async function heard(): Promise<void> {
  const untilMs = systemClock.now() + 20_000
  const all = () => {
    const takers = network.subscribers(parameterTopic(run.id))
    return view.every((id) => id === network.id || ((peer.authors.get(id)?.beacon ?? null) !== null && takers.includes(id)))
  }
  while (!all() && systemClock.now() < untilMs) await systemClock.sleep(5)
}

const parameters = async () => (await run.learner.snapshot()).parameters

/** Mean of everybody's start, at the sampled coordinates. */
let aim: Float64Array = new Float64Array(0)
const stride = Math.max(1, Math.floor(dimension / SAMPLED_COORDINATES))
function sample(values: Float32Array): Float32Array {
  const sampled = new Float32Array(Math.floor(dimension / stride))
  for (let i = 0; i < sampled.length; i++) sampled[i] = values[i * stride]!
  return sampled
}

/** Is everybody near the aim? */
let enough = false

/** Rounds, one after the other, until everybody is near the aim, as whoever started this process says; tells the distance from it after every mix. */
async function approach(atMost: number): Promise<{ readonly track: readonly Look[]; readonly rounds: number }> {
  const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1_000
  const track: Look[] = []
  const [startCpuMs, startRounds] = [cpuMs(), peer.counters().rounds!]
  const rounds = () => peer.counters().rounds! - startRounds
  const look = async () => {
    const seen = { atMs: wallMs(), cpuMs: cpuMs() - startCpuMs, squared: squaredDistance(sample(await parameters()), aim) }
    track.push(seen)
    process.send!({ id: LOOKED, value: seen } satisfies Answer)
  }
  await look()
  // Nobody rests before all are near: a partner that is named for a round is waited for.
  for (let seen = mixes.length; !enough && rounds() < atMost; ) {
    await peer.round()
    if (mixes.length === seen) continue
    seen = mixes.length
    await look()
  }
  return { track, rounds: rounds() }
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'meet':
      view = [...order.view].sort()
      for (const address of order.dial) await network.dial(address, AbortSignal.timeout(10_000))
      return null
    case 'hear':
      if (run.manifest.averaging.strategy === 'broadcast') await heard()
      return null
    case 'adopt':
      await adopt(order.seed)
      return null
    case 'round':
      await peer.round(order.partner === undefined ? (order.together === true ? { delivered } : {}) : { partner: order.partner })
      return null
    case 'catchUp':
      while (peer.counters().rounds! < order.rounds) await peer.round({ partner: view.find((id) => id !== network.id)! })
      return null
    case 'start':
      await adopt(order.seed)
      return textOf(sample(values))
    case 'aim':
      aim = meanOf(order.starts.map(floatsOf))
      return null
    case 'rounds':
      enough = false
      await systemClock.sleep(Math.max(0, order.startMs - wallMs()))
      return approach(order.atMost)
    case 'enough':
      enough = true
      return null
    case 'values':
      return textOf(await parameters())
    case 'report': {
      const { user, system } = process.cpuUsage()
      const memory = process.memoryUsage.rss()
      return { counters: peer.counters(), mixes: mixes.splice(0), cpuMs: (user + system) / 1_000, rssBytes: memory }
    }
    case 'tellBytes': {
      const from = network.counters().bytesIn
      const timer = setInterval(() => {
        if (network.counters().bytesIn - from < order.bytes) return
        clearInterval(timer)
        process.send!({ id: -2, value: null } satisfies Answer)
      }, 1)
      return null
    }
    case 'stop':
      await peer.stop()
      await workers.stop()
      await network.stop()
      setImmediate(() => process.exit(0))
      return null
  }
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit(1))
process.on('message', (order: Order & { id: number }) => {
  obey(order).then(
    (value) => process.send!({ id: order.id, value } satisfies Answer),
    (error: unknown) => process.send!({ id: order.id, error: String(error) } satisfies Answer),
  )
})
process.send!({ id: -1, value: { peer: network.id, addresses: network.addresses(), run: run.id } } satisfies Answer)
