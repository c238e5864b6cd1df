import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resolveSimulation, type SimulateFlags } from '../../src/sim/options.ts'
import { type NodeEvent, runSimulation } from '../../src/sim/simulate.ts'

async function simulate(flags: SimulateFlags) {
  const events: NodeEvent[] = []
  const result = await runSimulation(resolveSimulation(flags), { onEvent: (event) => events.push(event) })
  return { ...result, events }
}

const STILL = { learning: 'off', init: 'independent', dim: 50 }

/** What goes wrong in ten seconds, one of everything. */
const TROUBLE = [
  { at: '1s', do: 'partition', peers: '0-1', for: '2s' },
  { at: '1s', do: 'loss', probability: 0.2 },
  { at: '2s', do: 'crash', peers: 3, for: '1s' },
  { at: '3s', do: 'pause', peers: 2, for: '1s' },
  { at: '4s', do: 'flap', peers: 1, every: '100ms', for: '1s' },
  { at: '4s', do: 'duplicate', probability: 0.2 },
  { at: '4s', do: 'reorder', probability: 0.2, late: '50ms' },
  { at: '5s', do: 'half-open', peers: 0, for: '1s' },
  { at: '5s', do: 'latency', peers: 1, latency: '5ms-90ms' },
  { at: '5s', do: 'bandwidth', peers: 2, rate: '1Mbit/s' },
  { at: '5s', do: 'skew', peers: 4, by: '-1h' },
  { at: '5s', do: 'slow', peers: 4, times: 5 },
]

describe('a simulation', () => {
  const runs: [string, SimulateFlags][] = [
    ['free, learning', { mode: 'free', nodes: 3, rounds: 10, period: 10 }],
    ['free, everything going wrong', { nodes: 5, rounds: 100, 'update-time': '100ms', period: 1, scenario: TROUBLE }],
    ['free, averaging alone', { ...STILL, mode: 'free', nodes: 6, rounds: 40, period: 20, loss: 0.1, latency: '1ms-9ms' }],
    [
      'free, pairs',
      { ...STILL, mode: 'free', nodes: 4, rounds: 30, period: 1, 'update-time': '100ms', latency: '1ms-90ms', strategy: 'pairwise' },
    ],
    ['lock step, learning', { nodes: 3, rounds: 10, period: 10 }],
    ['lock step, averaging alone', { ...STILL, nodes: 6, rounds: 10, loss: 0.1 }],
  ]
  for (const [name, flags] of runs) {
    test(`${name}: the same twice, another with another seed`, async () => {
      const first = await simulate(flags)
      const again = await simulate(flags)
      assert.deepEqual(again, first)
      const { summary } = await simulate({ ...flags, seed: 2 })
      assert.notEqual(summary.digest, first.summary.digest)
      assert.equal(first.summary.consensusDistance.length, first.summary.rounds + 1)
    })
  }
})

test('in lock step frames of any size are averaged, however little time a round takes', async () => {
  const { summary, events } = await simulate({ ...STILL, dim: 200_000, nodes: 6, rounds: 12, period: 1, strategy: 'broadcast' })
  const [before, ...after] = summary.consensusDistance
  assert.ok(before! > 0.9)
  for (const distance of after) assert.ok(distance < 1e-3 * before!, `${distance}`)
  assert.ok(!events.some(({ event }) => event === 'refused'))
})

test('the clocks, timers and chance of the real world are out of reach', async () => {
  const runs: SimulateFlags[] = [
    { nodes: 5, rounds: 60, 'update-time': '100ms', period: 1, scenario: TROUBLE },
    { nodes: 3, rounds: 5, period: 5 },
  ]
  // The engine looks for the fastest kernels once a process, with a stopwatch; what it finds changes no bit.
  const clean = []
  for (const flags of runs) clean.push((await simulate(flags)).summary)
  let touched: string[] = []
  const trap = (name: string) =>
    function trapped(): never {
      touched.push(name)
      throw new Error(`${name} was reached from simulated code`)
    }
  const places: [object, string][] = [
    [globalThis, 'Date'],
    [globalThis, 'setTimeout'],
    [globalThis, 'setInterval'],
    [globalThis, 'fetch'],
    [globalThis, 'Worker'],
    [Math, 'random'],
    [Math, 'sin'],
    [Math, 'cos'],
    [Math, 'exp'],
    [Math, 'log'],
    [Math, 'pow'],
    [Math, 'tanh'],
    [performance, 'now'],
    [crypto, 'getRandomValues'],
    [crypto, 'randomUUID'],
    [process, 'hrtime'],
    [AbortSignal, 'timeout'],
  ]
  const saved = places.map(([holder, name]) => Object.getOwnPropertyDescriptor(holder, name))
  for (const [holder, name] of places) Object.defineProperty(holder, name, { value: trap(name), configurable: true, writable: true })
  const poisoned = []
  try {
    assert.throws(() => Math.random(), /reached from simulated code/)
    touched = []
    for (const flags of runs) poisoned.push((await simulate(flags)).summary)
  } finally {
    for (const [i, [holder, name]] of places.entries()) {
      const before = saved[i]
      if (before === undefined) Reflect.deleteProperty(holder, name)
      else Object.defineProperty(holder, name, before)
    }
  }
  assert.deepEqual(touched, [])
  assert.deepEqual(poisoned, clean)
})
