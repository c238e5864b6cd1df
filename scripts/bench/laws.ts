/**
 * `npm run bench -- laws [--seeds N] [--scheme NAME]`: contraction of the mean squared distance to the mean, measured in lock step with learning
 * off, beside what theory says. One JSON line for each scheme and number of peers: -ln of both factors and their ratio, with the standard error
 * of the measured one over seeds.
 */
import { parseArgs } from 'node:util'
import { LAWS, measureLaw } from './simulator/laws.ts'

const NODES = [8, 16, 64]
/** Seeds of a scheme with chance in it. */
const SEEDS = 200
/** Seeds of one without: only the start differs. */
const FEW_SEEDS = 4

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string' }, scheme: { type: 'string' } } })
  for (const law of LAWS) {
    if (values.scheme !== undefined && law.name !== values.scheme) continue
    for (const nodes of NODES) {
      const seeds = values.seeds === undefined ? (law.kind === 'mean' ? SEEDS : FEW_SEEDS) : Number(values.seeds)
      console.log(JSON.stringify(await measureLaw(law, nodes, seeds)))
    }
  }
}
