/** Errors as values: one class for all, and what to make of anything else that is thrown. */
export type Fault = 'local' | 'peer' | 'network'

/**
 * The one error class. `code` says what happened in a form that programs compare, `fault` whose doing it is, `message` is one sentence
 * for a person: what happened, why, what to do. `data` is structured-cloneable.
 */
export class GrapevineError<Code extends string = string> extends Error {
  readonly code: Code
  readonly fault: Fault
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: Code, fault: Fault, message: string, data: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'GrapevineError'
    this.code = code
    this.fault = fault
    this.data = data
  }
}

/** What anything that was thrown says: its message, or itself as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Anything that was thrown as an error: itself where it is one. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
