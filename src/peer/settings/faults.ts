/** What is wrong with settings: each fault a sentence of its own, all of them told at once. */
import { GrapevineError } from '../../util/errors.ts'
import { nearest } from '../../util/nearest.ts'

export interface Fault {
  readonly code: string
  readonly message: string
  /** Settings that are not known because of it, so that what depends on them is not judged as well. */
  readonly fields?: readonly string[]
}

/** All that is wrong, in the order found. */
export class Faults {
  readonly #list: Fault[] = []
  readonly #names = new Set<string>()
  readonly #told: ReadonlySet<string>

  constructor(found: readonly Fault[]) {
    for (const { code, message, fields = [] } of found) {
      this.add(code, message)
      for (const name of fields) this.#names.add(name)
    }
    this.#told = new Set(this.#names)
  }

  /** Did the caller find out about this field? */
  wasTold(name: string): boolean {
    return this.#told.has(name)
  }

  /** `name`: the field, so that what depends on it is not judged as well. */
  add(code: string, message: string, name?: string): void {
    this.#list.push({ code, message: /[.?]$/.test(message) ? message : `${message}.` })
    if (name !== undefined) this.#names.add(name)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Takes a GrapevineError of `work` as a fault. */
  try<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof GrapevineError)) throw error
      this.add(error.code, error.message)
      return undefined
    }
  }

  throwAny(): void {
    const [first] = this.#list
    if (first === undefined) return
    const code = this.#list.every((other) => other.code === first.code) ? first.code : 'usage'
    throw new GrapevineError(code, 'local', this.#list.map((fault) => fault.message).join('\n'), { faults: this.#list })
  }
}

/** How a sentence ends that refuses `word`. */
export function hint(word: string, choices: readonly string[]): string {
  const [close] = nearest(word, choices, 1)
  return close === undefined ? `there are ${choices.join(', ')}` : `did you mean ${close}?`
}
