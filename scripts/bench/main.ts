/**
 * `npm run bench -- NAME [FLAGS]`: runs one benchmark, a file of this folder that exports `main(args: string[]): Promise<void>`.
 * Leaves with 2, and the names there are, when NAME is none of them; with 1 when the benchmark throws.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = import.meta.dirname
const isBenchmark = (file: string): boolean => /^export (async )?function main\(/m.test(readFileSync(join(folder, file), 'utf8'))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && isBenchmark(file))
  .map((file) => basename(file, '.ts'))
const [name, ...args] = process.argv.slice(2)

if (name !== undefined && names.includes(name)) {
  const { main } = (await import(`./${name}.ts`)) as { main: (args: string[]) => Promise<void> }
  await main(args)
} else {
  console.error(`${name === undefined ? 'Which benchmark?' : `There is no benchmark ${name}.`} Choose one of: ${names.sort().join(', ')}.`)
  process.exitCode = 2
}
