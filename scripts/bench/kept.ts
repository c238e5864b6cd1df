/** The results of a long benchmark in a file of JSON (--file), so that a later command makes only those that are missing. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export class Kept<Result> {
  readonly all: Result[]
  readonly #file: string | undefined

  /** `file`: undefined keeps them for this command only. */
  constructor(file: string | undefined) {
    this.#file = file
    this.all = file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  }

  /** Prints a result as a line of JSON, and keeps it. */
  add(result: Result): void {
    this.all.push(result)
    console.log(JSON.stringify(result))
    if (this.#file !== undefined) writeFileSync(this.#file, JSON.stringify(this.all))
  }
}
