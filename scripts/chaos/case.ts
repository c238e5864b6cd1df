/** A case of the fault bench: what it injects, and what it checks. Numbers are those of the table of faults in the documentation of the bench. */
import type { Lab } from './lab.ts'

export interface Case {
  readonly number: number
  readonly title: string
  /** Root on Linux: network namespaces. */
  readonly needsRoot?: boolean
  readonly run: (lab: Lab) => Promise<void>
}

export interface Check {
  readonly what: string
  readonly ok: boolean
  readonly value?: unknown
}

export interface CaseResult {
  readonly case: number
  readonly title: string
  readonly passed: boolean
  /** How often the injector really did it. */
  readonly injected: number
  readonly checks: readonly Check[]
  readonly seconds: number
}
