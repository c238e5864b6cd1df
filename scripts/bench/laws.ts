/**
 * `npm run bench -- laws [--seeds N] [--scheme NAME]`: contraction of the mean squared distance to the mean, measured in lock step with learning
 * off, beside what theory says. One JSON line for each scheme and number of peers: -ln of both factors and their ratio, with the standard error
 * of the measured one over seeds. Then push-sum with delays: what is left of the distance, and what of the sums was lost.
 */
import { parseArgs } from 'node:util'
import { LAWS, measureLaw, measurePushSum } from './simulator/laws.ts'

const NODES = [8, 16, 64]
/** Runs of peers with chance in them, so that the few of a small swarm are averaged over as many: 1,600 seeds of 8, 200 of 64. */
const PEER_RUNS = 12_800
const PUSH_SUM_SEEDS = 10
/** Seeds of one without: only the start differs. */
const FEW_SEEDS = 4

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string' }, scheme: { type: 'string' } } })
  for (const law of LAWS) {
    if (values.scheme !== undefined && law.name !== values.scheme) continue
    for (const nodes of NODES) {
      const seeds = values.seeds === undefined ? (law.kind === 'mean' ? PEER_RUNS / nodes : FEW_SEEDS) : Number(values.seeds)
      console.log(JSON.stringify(await measureLaw(law, nodes, seeds)))
    }
  }
  if (values.scheme !== undefined && values.scheme !== 'push-sum') return
  for (const nodes of NODES) console.log(JSON.stringify(await measurePushSum(nodes, Number(values.seeds ?? PUSH_SUM_SEEDS))))
}
