/** `grapevine invite`: one word with which others join the run of a data folder. */
import { askDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import { lockHolder } from '../node/lock.ts'
import { folderStorage } from '../node/storage.ts'
import { storedRun } from '../store/addresses.ts'
import { GrapevineError } from '../util/errors.ts'
import { encodeInvitation } from '../wire/invitation.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

export const addInvite: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('invite')
    .description('Print one word with which others join this run.')
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--with-key', 'with the key of a private swarm in it: whoever reads it may enter')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine invite', 'grapevine invite --with-key', 'grapevine join grapevine:AQAB...'))
  command.action(async ({ dataDir, withKey, json }: { dataDir?: string; withKey?: boolean; json?: boolean }) => {
    const folder = await findDaemon(dataDir ?? null)
    const live = (await lockHolder(folder)) !== null
    const invitation = live ? await askDaemon(folder, 'invite', { withKey: withKey === true }) : await fromFolder(folder, withKey === true)
    io.out.write(json ? `${JSON.stringify({ invitation })}\n` : `${invitation}\n`)
    finish(DONE)
  })
}

/** Without its daemon the folder still knows others of its run. */
async function fromFolder(folder: string, withKey: boolean): Promise<string> {
  const stored = await storedRun(folderStorage(folder))
  if (stored === null || stored.addresses.length === 0) {
    throw new GrapevineError(
      'no_daemon',
      'local',
      `No daemon runs in ${folder}, and no addresses of other peers are stored there; start it first.`,
    )
  }
  if (withKey) throw new GrapevineError('no_daemon', 'local', `No daemon runs in ${folder}; --with-key needs one, which has the key.`)
  return encodeInvitation({ ...stored, swarmKey: null })
}
