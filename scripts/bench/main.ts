/**
 * `npm run bench -- NAME [FLAGS]`: runs one benchmark, a file of this folder that exports `main(args: string[]): Promise<void>`.
 * Leaves with 2, and the names there are, when NAME is none of them; with 1 when the benchmark throws.
 */
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== basename(import.meta.filename))
const names = files.map((file) => basename(file, '.ts'))
const [name, ...args] = process.argv.slice(2)

if (name !== undefined && names.includes(name)) {
  const { main } = (await import(`./${name}.ts`)) as { main: (args: string[]) => Promise<void> }
  await main(args)
} else {
  console.error(`${name === undefined ? 'Which benchmark?' : `There is no benchmark ${name}.`} Choose one of: ${names.sort().join(', ')}.`)
  process.exitCode = 2
}
