import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../src/sim/clock.ts'
import { FaultyWires } from '../../src/sim/faulty-wires.ts'
import { type MemoryHubOptions, memoryNetwork } from '../../src/sim/network.ts'
import { seededRandom } from '../../src/util/random.ts'
import { networkContract } from '../contract/network.ts'

const MAX_WAIT_MS = 60_000

/** With everything that a scenario can change, and none of it changed. */
const faultless = (clock: VirtualClock): MemoryHubOptions => ({
  wires: new FaultyWires({ clock, random: seededRandom('wires'), nodes: 8, latencyMs: [5, 35], bytesPerMs: 100_000, loss: 0 }),
})

for (const [name, options] of [
  ['the network in memory', () => ({ delayMs: 20 })],
  ['the network with faults, all off', faultless],
] satisfies [string, (clock: VirtualClock) => MemoryHubOptions][])
  networkContract(name, () => {
    const clock = new VirtualClock()
    const hub = memoryNetwork(clock, options(clock))
    let joined = 0
    return {
      create: () => hub.join(`peer-${joined++}`),
      until: async (done) => {
        await clock.run(MAX_WAIT_MS, done)
        assert.ok(done(), 'it never happened')
      },
      nobody: async () => '/memory/999',
      assertNothingLeft: async () => {
        const before = clock.now()
        let fired = false
        await clock.run(MAX_WAIT_MS, () => fired)
        assert.equal(clock.now() - before, MAX_WAIT_MS)
        fired = true
      },
    }
  })

test('every message takes the delay of the hub, and two runs are the same', async () => {
  const run = async (): Promise<readonly string[]> => {
    const clock = new VirtualClock()
    const hub = memoryNetwork(clock, { delayMs: 25 })
    const signal = new AbortController().signal
    const peers = ['a', 'b', 'c'].map((id) => hub.join(id))
    const [a, b, c] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]]
    const happened: string[] = []
    for (const peer of peers) {
      await peer.start(signal)
      peer.onPeer(({ id, state }) => happened.push(`${clock.now()} ${peer.id} sees ${id} ${state}`))
      peer.subscribe('t', 10, (author) => {
        happened.push(`${clock.now()} ${peer.id} hears ${author}`)
        return 'accept'
      })
    }
    const note = (text: string) => () => happened.push(`${clock.now()} ${text}`)
    b.serve('p', 10, async (_peer, body) => body)
    a.dial('/memory/1', signal).then(note('a dialled b'))
    c.dial('/memory/1', signal).then(note('c dialled b'))
    await clock.run(100)
    a.request('b', 'p', new Uint8Array(1), { maxResponseBytes: 1, timeoutMs: 1_000 }).then(note('a was answered'))
    await a.publish('t', new Uint8Array(1))
    await clock.run(100)
    return happened
  }
  const happened = await run()
  assert.deepEqual(happened, [
    '25 b sees a connected',
    '25 b sees c connected',
    '50 a sees b connected',
    '50 a dialled b',
    '50 c sees b connected',
    '50 c dialled b',
    '125 b hears a',
    '150 a was answered',
    '150 c hears a',
  ])
  assert.deepEqual(await run(), happened)
})
