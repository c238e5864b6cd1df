/** `grapevine pause` and `grapevine resume`: a running daemon stops learning for a while; it goes on averaging and serving others. */
import { askDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

export const addPause: AddCommand = (program, context, finish) =>
  addSwitch(program, context, finish, 'pause', 'Let a running daemon stop learning; it goes on averaging.', 'paused')

export const addResume: AddCommand = (program, context, finish) =>
  addSwitch(program, context, finish, 'resume', 'Let a paused daemon learn again.', 'resumed')

function addSwitch(
  program: Parameters<AddCommand>[0],
  { io }: Parameters<AddCommand>[1],
  finish: Parameters<AddCommand>[2],
  name: 'pause' | 'resume',
  description: string,
  done: string,
): void {
  const command = program
    .command(name)
    .description(description)
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples(`grapevine ${name}`, `grapevine ${name} --data-dir ./peer-2`))
  command.action(async ({ dataDir, json }: { dataDir?: string; json?: boolean }) => {
    const folder = await findDaemon(dataDir ?? null)
    await askDaemon(folder, name)
    io.out.write(json ? `${JSON.stringify({ [done]: folder })}\n` : `${done} the daemon in ${folder}\n`)
    finish(DONE)
  })
}
