/** Which run a daemon takes part in: a new one, the one that lies in the data folder, or that of others, which decides what its founder chose. */
import type { JoinTarget } from '../join-words.ts'
import { FOUNDING_NAMES, type GivenSettings } from '../settings-schema.ts'
import { type Assigned, OWN_ASSIGNMENTS } from './assignments.ts'
import type { Faults } from './faults.ts'
import { type Founding, found } from './founding.ts'

/** A new run to found, the one in the data folder to go on with, or addresses of a run to join; an invitation names the run's id as well. */
export type RunChoice =
  | { readonly found: Founding }
  | { readonly resume: true }
  | { readonly join: readonly string[]; readonly runId?: string }

export function runOf(
  sources: { readonly command: 'start' | 'join'; readonly randomSeed: number },
  given: GivenSettings,
  assigned: Assigned,
  target: JoinTarget,
  faults: Faults,
): RunChoice {
  const resumes = given.resume !== undefined && given.resume !== false
  if (sources.command === 'join') {
    if (resumes) faults.add('usage', '--resume goes with start: grapevine start --resume finds the swarm by itself.')
    return join(target, assigned, faults)
  }
  return resumes ? resume(given, assigned, faults) : found(given, assigned, sources.randomSeed, faults)
}

function resume(given: GivenSettings, assigned: Assigned, faults: Faults): RunChoice {
  for (const name of FOUNDING_NAMES) {
    if (name in given) faults.add('usage', `--${name} is decided by the run that is resumed; leave it out.`)
  }
  refuseForeign(assigned, 'is resumed', faults)
  const folder = given['data-dir']
  if (typeof given.resume === 'string' && folder !== undefined && folder !== given.resume) {
    faults.add('usage', `--resume names the folder ${given.resume} and --data-dir the folder ${folder}; a run goes on where it is stored.`)
  }
  return { resume: true }
}

/** `what` happens to a run that decides everything but what is this peer's own. */
function refuseForeign(assigned: Assigned, what: string, faults: Faults): void {
  for (const name of Object.keys(assigned)) {
    if (OWN_ASSIGNMENTS.includes(name)) continue
    faults.add(
      'usage',
      `"${name}" (--set) is decided by the run that ${what}; only ${OWN_ASSIGNMENTS.slice(0, -1).join(', ')} and ${OWN_ASSIGNMENTS.at(-1)} are your own.`,
    )
  }
}

function join(target: JoinTarget, assigned: Assigned, faults: Faults): RunChoice {
  refuseForeign(assigned, 'you join', faults)
  return { join: target.addresses, ...(target.runId === null ? {} : { runId: target.runId }) }
}
