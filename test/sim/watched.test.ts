import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { resolveSimulation, type SimulateFlags } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'
import { WatchedSwarm } from '../../src/sim/watched.ts'

/** A simulation that somebody looks at after every round; `look` may command it. */
async function watched(flags: SimulateFlags, look: (swarm: WatchedSwarm, round: number) => void = () => undefined) {
  const settings = resolveSimulation(flags)
  const events: PeerEvent[] = []
  const leaving = new AbortController()
  let nowMs = 0
  let swarm: WatchedSwarm | null = null
  const result = await runSimulation(settings, {
    signal: leaving.signal,
    onSwarm(nodes) {
      const onlooker = { now: () => nowMs, settings: { nodes: 0 }, play: () => () => undefined, stop: () => leaving.abort() }
      swarm = new WatchedSwarm(nodes, settings.peer, onlooker)
      swarm.on((event) => events.push(event))
    },
    onEvent: (event) => swarm?.take(event),
    onFault: (record) => swarm!.fault(record),
    onRound(round, curves) {
      nowMs += 100
      swarm!.round(curves, 100)
      swarm!.status()
      look(swarm!, round)
    },
    held: () => swarm!.held,
  })
  swarm!.end(result.summary.rounds)
  return { result, events, swarm: swarm! as WatchedSwarm }
}

const FEW: SimulateFlags = { nodes: 4, rounds: 6, period: 5, strategy: 'pairwise' }

describe('a simulation that is watched', () => {
  test('is the same bit for bit', async () => {
    const { result } = await watched(FEW)
    assert.deepEqual(result, await runSimulation(resolveSimulation(FEW)))
  })

  test('shows the founder, and all others as they stand', async () => {
    const { swarm, events } = await watched(FEW)
    const status = swarm.status()
    assert.equal(status.updates, 30)
    assert.deepEqual(
      status.peers.map(({ state, version }) => [state, version]),
      [
        ['alive', 30],
        ['alive', 30],
        ['alive', 30],
      ],
    )
    const stats = events.filter((event) => event.event === 'stats')
    assert.equal(stats.length, 7)
    assert.equal(stats.at(-1)!.steps, status.steps)
    assert.deepEqual(events.at(-1), { event: 'stopped', reason: 'the simulation is over after 6 rounds', steps: status.steps })
  })

  test('draws a line for each pair that mixed, and tells of the founder’s mixes only', async () => {
    const lines: number[] = []
    const { events, result } = await watched({ ...FEW, partner: 'matching' }, (swarm) => lines.push(swarm.links().length))
    // Two pairs of four peers a round; figures go out after it.
    assert.deepEqual(lines, [0, 2, 2, 2, 2, 2, 2])
    assert.equal(events.filter(({ event }) => event === 'mix').length, result.summary.rounds)
  })

  test('is held between two rounds, goes on, and ends when asked', async () => {
    const seen: number[] = []
    const { result } = await watched({ ...FEW, rounds: 50 }, (swarm, round) => {
      seen.push(round)
      if (round === 3) {
        void swarm.commands.pause!('')
        assert.equal(swarm.status().paused, true)
        setImmediate(() => {
          assert.equal(seen.at(-1), 3)
          void swarm.commands.resume!('')
        })
      }
      if (round === 5) void swarm.commands.stop!('')
    })
    assert.equal(result.summary.rounds, 5)
  })

  test('shows a founder that is down as it last stood, and what went wrong', async () => {
    const scenario = [{ at: '300ms', do: 'crash', peers: 0, for: '1s' }]
    const down: (number | undefined)[] = []
    const { swarm, events } = await watched({ nodes: 3, rounds: 20, period: 5, 'update-time': '20ms', scenario }, (one, round) => {
      if (round === 5) down.push(one.status().updates)
    })
    assert.equal(down.length, 1)
    assert.ok(down[0]! > 0)
    assert.ok(swarm.status().updates > 0)
    assert.ok(events.some((event) => event.event === 'warning' && event.message === 'At 0.3 s of the simulation: crash peers 0.'))
  })
})
