/**
 * `npm run bench -- laws [--seeds N] [--scheme NAME]`: contraction of the mean squared distance to the mean, measured in lock step with learning
 * off, beside what theory says. One JSON line for each scheme and number of peers: -ln of both factors and their ratio, with the standard error
 * of the measured one over seeds.
 */
import { parseArgs } from 'node:util'
import { LAWS, measureLaw } from './simulator/laws.ts'

const NODES = [8, 16, 64]
/** Seeds of a scheme with chance in it, by number of peers: small swarms vary most. */
const SEEDS: Readonly<Record<number, number>> = { 8: 1_000, 16: 400, 64: 60 }
/** Seeds of one without: only the start differs. */
const FEW_SEEDS = 3

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string' }, scheme: { type: 'string' } } })
  for (const law of LAWS) {
    if (values.scheme !== undefined && law.name !== values.scheme) continue
    for (const nodes of NODES) {
      const seeds = values.seeds === undefined ? (law.kind === 'mean' ? SEEDS[nodes]! : FEW_SEEDS) : Number(values.seeds)
      console.log(JSON.stringify(await measureLaw(law, nodes, seeds)))
    }
  }
}
