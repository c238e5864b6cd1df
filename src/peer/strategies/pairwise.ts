/**
 * `pairwise`: once a round, propose an exchange to the partner that the rule names; both apply half the difference, or neither does. A partner
 * that is busy or away is replaced by others at random, and so is one that is slow to answer, beside the exchange with it. The swarm's mean is
 * kept exactly once all exchanges are settled.
 */
import { PAIR_RULES, randomPartner } from '../../average/partners.ts'
import type { PeerId } from '../../ports/network.ts'
import { Exchanges } from '../exchange/exchanges.ts'
import { FALLBACK_PARTNERS } from '../limits.ts'
import type { Strategy, StrategyContext } from './strategy.ts'

export const pairwise: Strategy = {
  name: 'pairwise',
  rules: PAIR_RULES,
  start(context) {
    const exchanges = new Exchanges(context)
    exchanges.serve()
    return {
      async round({ partner, delivered }) {
        if (partner !== undefined) {
          await exchanges.propose(partner)
          return
        }
        const epoch = context.epoch()
        try {
          await propose(context, exchanges, delivered !== undefined)
        } finally {
          exchanges.turns.roundOver(epoch)
        }
      },
      counters: () => exchanges.counters(),
      ledger: () => exchanges.ledger(),
    }
  },
}

async function propose(context: StrategyContext, exchanges: Exchanges, lockStep: boolean): Promise<void> {
  const { network, random } = context
  const choice = context.partner()
  if (choice === null) return
  // Both of a pair have a round, and one exchange is enough for the two: whoever comes to it first proposes.
  if (choice.mutual && (lockStep ? choice.id < network.id : exchanges.turns.hasAnswered(choice.id, context.epoch()))) return
  const tried = new Set<PeerId>()
  for (let next: PeerId | null = choice.id; next !== null && tried.size <= FALLBACK_PARTNERS; ) {
    tried.add(next)
    const proposal = await exchanges.propose(next, { paired: choice.mutual && !lockStep && next === choice.id, mayGoAside: !lockStep })
    if (lockStep || !['busy', 'absent', 'slow'].includes(proposal)) return
    const others = context.view().filter((id) => !tried.has(id))
    next = randomPartner(others, network.id, random)
  }
}
