/**
 * `server`: everyone exchanges with one named peer, once a round, and that one with nobody else: the parameter server to compare with. It takes
 * one at a time; who hears `busy` tries again a little later.
 */
import type { PeerId } from '../../ports/network.ts'
import { Exchanges } from '../exchange/exchanges.ts'
import { SERVER_ATTEMPTS, SERVER_RETRY_MS } from '../limits.ts'
import type { Strategy, StrategyContext } from './strategy.ts'

export const server: Strategy = {
  name: 'server',
  rules: 'a peer',
  start(context) {
    const exchanges = new Exchanges(context)
    exchanges.serve()
    return {
      async round({ partner = context.rule }) {
        if (partner !== context.network.id) await propose(context, exchanges, partner)
      },
      counters: () => exchanges.counters(),
      ledger: () => exchanges.ledger(),
    }
  },
}

async function propose({ clock, random, signal }: StrategyContext, exchanges: Exchanges, partner: PeerId): Promise<void> {
  for (let attempt = 0; attempt < SERVER_ATTEMPTS; attempt++) {
    if ((await exchanges.propose(partner)) !== 'busy') return
    await clock.sleep(SERVER_RETRY_MS * (0.5 + random.uniform()), signal)
  }
}
