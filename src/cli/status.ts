/** `grapevine status`: how the daemon of a data folder stands. */
import { askDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import type { PeerStatus } from '../observe/events.ts'
import { statusText } from '../observe/status-text.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

export const addStatus: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('status')
    .description('Show how a running daemon stands.')
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine status', 'grapevine status --data-dir ./peer-2 --json'))
  command.action(async ({ dataDir, json }: { dataDir?: string; json?: boolean }) => {
    const status = (await askDaemon(await findDaemon(dataDir ?? null), 'status')) as PeerStatus
    io.out.write(json ? `${JSON.stringify(status)}\n` : `${statusText(status).join('\n')}\n`)
    finish(DONE)
  })
}
