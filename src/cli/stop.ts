/** `grapevine stop`: asks the daemon of a data folder to leave and waits until it is gone. */
import { stopDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

export const addStop: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('stop')
    .description('Stop a running daemon and wait until it is gone.')
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine stop', 'grapevine stop --data-dir ./peer-2'))
  command.action(async ({ dataDir, json }: { dataDir?: string; json?: boolean }) => {
    const folder = await findDaemon(dataDir ?? null)
    await stopDaemon(folder)
    io.out.write(json ? `${JSON.stringify({ stopped: folder })}\n` : `stopped the daemon in ${folder}\n`)
    finish(DONE)
  })
}
