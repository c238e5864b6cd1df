/** `grapevine envs`: what can be learned here, and whether a module of one's own keeps the contract. */
import type { EnvironmentSpec } from '../envs/types.ts'
import { table } from '../observe/status-text.ts'
import { type AddCommand, examples } from './command.ts'
import { BAD_USAGE, DONE } from './exit.ts'

export const addEnvs: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('envs')
    .description('List the environments, or check one of your own.')
    .option('--json', 'one JSON object per line')
    .option('--check <module>', 'say in words what is wrong with an environment of your own')
    .addHelpText('after', examples('grapevine envs', 'grapevine envs --json', 'grapevine envs --check ./my-env.ts'))
  command.action(async ({ json, check }: { json?: boolean; check?: string }) => {
    if (check !== undefined) {
      finish(await checkModule(check, json === true, (line) => io.out.write(`${line}\n`)))
      return
    }
    const { listEnvironments } = await import('../envs/registry.ts')
    const known = listEnvironments().map(({ id, description, threshold, options = {} }) => ({ id, description, threshold, options }))
    const rows = known.map(({ id, description, threshold }) => [id, threshold === null ? '-' : String(threshold), description])
    const lines = json
      ? known.map((entry) => JSON.stringify(entry))
      : [...table([['ID', 'SOLVED AT', 'DESCRIPTION'], ...rows], [false, true, false]), '', ...optionLines(known)]
    io.out.write(`${lines.join('\n')}\n`)
    finish(DONE)
  })
}

/** What `--set` changes in an environment. */
function optionLines(known: readonly Pick<EnvironmentSpec, 'id' | 'options'>[]): readonly string[] {
  const rows = known.flatMap(({ id, options = {} }) =>
    Object.entries(options).map(([name, { initial, meaning }]) => [id, `env.${name}=${initial}`, meaning]),
  )
  return [
    'Options, with start --set env.NAME=VALUE (of all: env.maxEpisodeSteps, where an',
    'episode is cut):',
    ...table(rows, [false, false, false]),
  ]
}

/** One line for each problem, or one that says there is none. */
async function checkModule(path: string, json: boolean, print: (line: string) => void): Promise<number> {
  const { tryModule } = await import('../node/trial.ts')
  const { id, problems } = await tryModule(path, true)
  if (json) print(JSON.stringify({ id, problems }))
  else if (problems.length === 0) print(`${id} keeps the contract: train on it with --env ${path}`)
  else for (const problem of problems) print(problem)
  return problems.length === 0 ? DONE : BAD_USAGE
}
