/**
 * What every command file exports: its place in the command line, and what it does there. What only its doing needs is imported when it is
 * done, so that help, version and mistakes are answered at once.
 */
import type { Command } from 'commander'
import type { Io } from './io.ts'

/** What a command needs beside its arguments. */
export interface Context {
  readonly io: Io
  readonly version: string
}

/** Adds a command to `program`; `finish` is called with the exit code. */
export type AddCommand = (program: Command, context: Context, finish: (code: number) => void) => void

/** Examples that follow a command's help, indented; each starts the program as in an installed package. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}
