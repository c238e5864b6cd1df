/**
 * How a script of this folder says what it takes: its head comment is its help, and flags that it has not got, or cannot read, are answered by a
 * sentence and exit code 2.
 */
import { readFileSync } from 'node:fs'

/** Of a flag's value that a script cannot use. */
export class Misuse extends Error {}

/** The comment at the head of a file, without its frame. */
export function headOf(file: string): string {
  const [, comment = ''] = /\/\*\*\n(.*?) \*\//s.exec(readFileSync(file, 'utf8')) ?? []
  return comment.replace(/^ \* ?/gm, '').trimEnd()
}

/** What to tell of an error in the flags of `command`, such as `npm run bench -- learn`; null: the error is of another kind. */
export function misuse(error: unknown, command: string): string | null {
  if (!(error instanceof Misuse || (error instanceof Error && isParseError(error)))) return null
  return `${error.message.replace(/\.?$/, '.')} "${command} --help" says what it takes.`
}

/** Tells it, and leaves with 2. */
export function refuse(sentence: string): void {
  console.error(sentence)
  process.exitCode = 2
}

/** Of `util.parseArgs`. */
function isParseError(error: Error): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
}
