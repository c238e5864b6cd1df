/** What `--set` assigned, by name: numbers within their bounds. A fault that is found is added, and the value is undefined then. */
import type { HyperValue } from '../../ports/learner.ts'
import type { Faults } from './faults.ts'

export type Assigned = Readonly<Record<string, HyperValue>>

/** What is this peer's own, whoever decides the run. */
export const OWN_ASSIGNMENTS = ['minPeriodMs', 'checkpointSeconds', 'maxStepsPerSecond']

export function wholeAssignment(name: string, assigned: Assigned, min: number, max: number, faults: Faults): number | undefined {
  const value = assigned[name]
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)) return value
  faults.add('usage', `${name} (--set) must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`)
  return undefined
}

export function assignedBetween(name: string, assigned: Assigned, min: number, max: number, faults: Faults): number | undefined {
  const value = assigned[name]
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return value
  faults.add('usage', `${name} (--set) must be a number from ${min} to ${max}, not ${JSON.stringify(value)}`)
  return undefined
}
