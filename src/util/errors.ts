/**
 * The one error class. `code` says what happened in a form that programs compare, `fault` whose doing it is, `message` is one sentence
 * for a person: what happened, why, what to do. `data` is structured-cloneable.
 */
export type Fault = 'local' | 'peer' | 'network'

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
