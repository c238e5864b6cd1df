/** The dashboard of a simulation: it shows the founder and its swarm while rounds go by, and lets a person hold or end them. */
import { systemClock } from '../node/clock.ts'
import { playPolicy } from '../node/play-thread.ts'
import { newToken } from '../observe/http/guard.ts'
import { serveDashboard } from '../observe/http/server.ts'
import type { SimulateSettings } from '../sim/options.ts'
import type { SimulationHooks } from '../sim/simulate.ts'
import { WatchedSwarm } from '../sim/watched.ts'
import { LIVE_PERIOD_MS } from './limits.ts'

export interface WatchedSimulation {
  /** To be merged with the caller's own: each hook here calls nobody else's. */
  readonly hooks: Required<Pick<SimulationHooks, 'onSwarm' | 'onEvent' | 'onFault' | 'onRound' | 'held'>>
  /** No longer held: the end was asked for. */
  goOn(): void
  /** The rounds are over; the page keeps what it shows. */
  end(rounds: number): void
  close(): Promise<void>
}

/**
 * `opened` is told where the page is and what its buttons ask for, once the swarm stands. Throws GrapevineError `http_address`, through the
 * hook `held`, where nothing can listen.
 */
export function watchSimulation(
  settings: SimulateSettings,
  address: { readonly host: string; readonly port: number },
  stop: () => void,
  opened: (page: { readonly url: string; readonly token: string; readonly run: string; readonly peer: string }) => void,
): WatchedSimulation {
  let swarm: WatchedSwarm | null = null
  let opening: Promise<{ close(): Promise<void> }> | null = null
  const { peer: _, ...shown } = settings
  return {
    hooks: {
      onSwarm(nodes) {
        const watched = new WatchedSwarm(nodes, settings.peer, {
          now: () => systemClock.now(),
          settings: shown,
          play: (learner, replica, show, failed) => playPolicy(learner, replica, { show, failed }),
          stop,
        })
        swarm = watched
        const token = newToken()
        opening = serveDashboard(watched, address, token).then((page) => {
          const { run, peer } = watched.status()
          opened({ url: page.url, token, run, peer })
          return page
        })
      },
      onEvent: (event) => swarm?.take(event),
      onFault: (record) => swarm?.fault(record),
      onRound: (_round, curves) => swarm?.round(curves, LIVE_PERIOD_MS),
      async held() {
        await opening
        await swarm?.held
      },
    },
    goOn: () => swarm?.goOn(),
    end: (rounds) => swarm?.end(rounds),
    close: async () => (await opening?.catch(() => null))?.close(),
  }
}
