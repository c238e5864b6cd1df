/** `grapevine status`: how the daemon of a data folder stands; with --watch, again every second until Ctrl-C. */
import { systemClock } from '../node/clock.ts'
import { askDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import type { PeerStatus } from '../observe/events.ts'
import { statusText } from '../observe/status-text.ts'
import { partnerCount, plainLine } from '../observe/terminal.ts'
import { Watch } from '../observe/watch-text.ts'
import type { Clock } from '../ports/clock.ts'
import { GrapevineError } from '../util/errors.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'
import type { Io } from './io.ts'
import { WATCH_PERIOD_MS } from './limits.ts'

export const addStatus: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('status')
    .description('Show how a running daemon stands.')
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--watch', 'show it again every second, until Ctrl-C')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine status', 'grapevine status --watch', 'grapevine status --data-dir ./peer-2 --json'))
  command.action(async ({ dataDir, watch: again, json }: { dataDir?: string; watch?: boolean; json?: boolean }) => {
    const folder = await findDaemon(dataDir ?? null)
    const ask = async () => (await askDaemon(folder, 'status')) as PeerStatus
    const show = again === true ? watcher(io, json === true) : once(io, json === true)
    show(await ask())
    if (again === true) await keepAsking(ask, show, io, systemClock)
    finish(DONE)
  })
}

function once(io: Io, json: boolean): (status: PeerStatus) => void {
  return (status) => io.out.write(json ? `${JSON.stringify(status)}\n` : `${statusText(status).join('\n')}\n`)
}

/** Up and clear what was below, so that nothing flickers. */
const HOME = '\u001b[H\u001b[J'

/** A screen on a terminal; a line for a program or a file. */
function watcher(io: Io, json: boolean): (status: PeerStatus) => void {
  const watch = new Watch()
  return (status) => {
    if (json) io.out.write(`${JSON.stringify(status)}\n`)
    else if (io.out.isTerminal) io.out.write(`${HOME}${watch.lines(status, io.out.columns).join('\n')}\n`)
    else io.out.write(`${plainLine({ ...status, peers: partnerCount(status) })}\n`)
  }
}

/** Until the person leaves or the daemon does. */
export async function keepAsking(ask: () => Promise<PeerStatus>, show: (status: PeerStatus) => void, io: Io, clock: Clock): Promise<void> {
  const leaving = new AbortController()
  const release = io.onLeave(() => leaving.abort())
  try {
    while (!leaving.signal.aborted) {
      await clock.sleep(WATCH_PERIOD_MS, leaving.signal).catch(() => undefined)
      if (!leaving.signal.aborted) show(await ask())
    }
  } catch (error) {
    const gone = error instanceof GrapevineError && ['no_daemon', 'control', 'not_ready', 'not_running'].includes(error.code)
    if (!gone) throw error
    io.err.write('The daemon has left.\n')
  } finally {
    release()
  }
}
