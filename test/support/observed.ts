/** A swarm that is not there, for tests of the dashboard: one peer that learns, and others that it mixes with. */
import type { PeerEvent, PeerStatus } from '../../src/observe/events.ts'
import type { CommandName, Observed } from '../../src/observe/http/source.ts'
import { examplePeerId } from './peer-ids.ts'

export interface FakeObserved extends Observed {
  /** Commands that arrived, with the peer that they named. */
  readonly asked: [CommandName, string][]
  /** How many watch the policy. */
  watchers(): number
  emit(event: PeerEvent): void
  /** A second passes: everybody learns, some snapshots are mixed. */
  tick(): void
}

const SELF = examplePeerId(0)

export function fakeObserved(others: number, manifest: unknown = { name: 'CartPole-v1' }): FakeObserved {
  const listeners = new Set<(event: PeerEvent) => void>()
  const asked: [CommandName, string][] = []
  const banned = new Set<string>()
  const ids = Array.from({ length: others }, (_, i) => examplePeerId(i + 1))
  let ticks = 0
  let paused = false
  let watching = 0
  const emit = (event: PeerEvent) => {
    for (const listener of listeners) listener(event)
  }
  const status = (): PeerStatus => ({
    peer: SELF,
    run: '0123456789abcdef'.repeat(4),
    name: 'CartPole-v1',
    version: 'grapevine/1.0',
    uptimeSeconds: ticks,
    addresses: [`/ip4/127.0.0.1/tcp/4001/p2p/${SELF}`],
    environment: 'CartPole-v1',
    algorithm: 'a2c',
    strategy: 'broadcast',
    engine: 'wasm',
    steps: ticks * 40_000,
    updates: ticks * 1_000,
    stepsPerSecond: 40_000,
    returnMean: 500 - 400 / (1 + ticks),
    episodes: ticks * 80,
    paused,
    consensusDistance: 0.1 / (1 + ticks),
    relayedOnly: false,
    reachable: null,
    peers: ids.map((id, i) => ({
      id,
      state: banned.has(id) ? 'banned' : i % 9 === 8 ? 'silent' : 'alive',
      steps: ticks * 39_000,
      returnMean: 490 - 400 / (1 + ticks),
      mixes: ticks,
      refused: i === 3 ? 2 : 0,
      version: ticks * 990,
      connected: i % 3 !== 2,
      relayed: false,
      heardSecondsAgo: 1,
      mixedSecondsAgo: 1,
      trust: i === 3 ? 0.25 : 1,
      muted: false,
      causes: i === 3 ? { digest: 2 } : {},
    })),
    counters: { rounds: ticks, bytesIn: ticks * 90_000, bytesOut: ticks * 30_000, refused_digest: 2, experienceIn: ticks * 64 },
  })
  return {
    asked,
    emit,
    watchers: () => watching,
    tick() {
      ticks++
      const { steps, updates, stepsPerSecond, returnMean, episodes, consensusDistance, counters } = status()
      const bytes = { bytesIn: counters.bytesIn ?? 0, bytesOut: counters.bytesOut ?? 0 }
      emit({ event: 'stats', steps, updates, stepsPerSecond, returnMean, episodes, peers: others, consensusDistance, ...bytes })
      for (const id of ids) {
        emit({ event: 'mix', with: id, strategy: 'broadcast', distance: 0.01, staleness: 10, stalenessMs: 40, bytes: 2_000 })
      }
    },
    status,
    statistics: () => ({ 'train/value_loss': 1 / (1 + ticks), 'train/policy_loss': -0.01, 'train/gradient_norm': 0.5 }),
    learnerCpuMs: () => ticks * 900,
    facts: { manifest, settings: { actors: 0 } },
    invitation: () => ({ line: 'grapevine join gv1abc', word: 'gv1abc', beyondThisMachine: true }),
    links: null,
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    commands: {
      pause: (peer) => {
        asked.push(['pause', peer])
        paused = true
      },
      resume: (peer) => {
        asked.push(['resume', peer])
        paused = false
      },
      stop: (peer) => void asked.push(['stop', peer]),
      ban: (peer) => {
        asked.push(['ban', peer])
        banned.add(peer)
      },
    },
    watch(show) {
      watching++
      let step = 0
      const timer = setInterval(() => {
        step++
        const x = Math.sin(step / 20) * 2
        show({
          picture: {
            left: -2.4,
            right: 2.4,
            bottom: -0.5,
            top: 2,
            background: 0xffffff,
            shapes: [{ kind: 'circle', x, y: 0.5, radius: 0.3, colour: 0x7b4fd0 }],
          },
          action: step % 2,
          probabilities: [0.5 + x / 5, 0.5 - x / 5],
          gaussian: null,
          value: 90 + x,
          actionValues: null,
          step,
          episodeReturn: step,
          episode: 0,
          version: ticks,
        })
      }, 33)
      return () => {
        watching--
        clearInterval(timer)
      }
    },
  }
}
