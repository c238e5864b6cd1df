/** `grapevine envs`: what can be learned here. */
import { table } from '../observe/status-text.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

export const addEnvs: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('envs')
    .description('List the environments.')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('grapevine envs', 'grapevine envs --json'))
  command.action(async ({ json }: { json?: boolean }) => {
    const { listEnvironments } = await import('../envs/registry.ts')
    const known = listEnvironments().map(({ id, description, threshold }) => ({ id, description, threshold }))
    const rows = known.map(({ id, description, threshold }) => [id, threshold === null ? '-' : String(threshold), description])
    const lines = json
      ? known.map((entry) => JSON.stringify(entry))
      : table([['ID', 'SOLVED AT', 'DESCRIPTION'], ...rows], [false, true, false])
    io.out.write(`${lines.join('\n')}\n`)
    finish(DONE)
  })
}
