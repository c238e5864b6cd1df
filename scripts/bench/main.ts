/**
 * `npm run bench -- NAME [FLAGS]`: runs one benchmark, a file of this folder that exports `main(args: string[]): Promise<void>`; with `--help`,
 * prints the comment at its head, where its flags stand. Leaves with 2 and a sentence when NAME is none of them, or one of FLAGS none of its own;
 * with 1 when the benchmark throws.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { headOf, misuse, refuse } from '../usage.ts'

const folder = import.meta.dirname
const isBenchmark = (file: string): boolean => /^export (async )?function main\(/m.test(readFileSync(join(folder, file), 'utf8'))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && isBenchmark(file))
  .map((file) => basename(file, '.ts'))
const [name, ...args] = process.argv.slice(2)

if (name === undefined || !names.includes(name)) {
  refuse(`${name === undefined ? 'Which benchmark?' : `There is no benchmark ${name}.`} Choose one of: ${names.sort().join(', ')}.`)
} else if (args.includes('--help')) {
  console.log(headOf(join(folder, `${name}.ts`)))
} else {
  const { main } = (await import(`./${name}.ts`)) as { main: (args: string[]) => Promise<void> }
  try {
    await main(args)
  } catch (error) {
    const sentence = misuse(error, `npm run bench -- ${name}`)
    if (sentence === null) throw error
    refuse(sentence)
  }
}
