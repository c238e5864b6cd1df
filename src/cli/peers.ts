/** `grapevine peers`: who is known to the daemon of a data folder; keeps peers out and lets them in again. */

import { systemClock } from '../node/clock.ts'
import { askDaemon } from '../node/control.ts'
import { findDaemon } from '../node/data-folder.ts'
import { type PeerRow, peersText } from '../observe/peers-text.ts'
import { GrapevineError } from '../util/errors.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

interface Flags {
  readonly dataDir?: string
  readonly json?: boolean
  readonly ban?: string
  readonly unban?: string
  readonly for?: string
  readonly why?: string
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

export const addPeers: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('peers')
    .description('List the peers that a daemon knows; keep one out or let it in.')
    .option('--data-dir <folder>', 'its data folder (the one default folder in use)')
    .option('--ban <peer>', 'hang up on this peer and keep it out: its id, or the last 6 characters or more')
    .option('--for <time>', 'with --ban: for how long, such as 30m, 1h, 7d (until --unban)')
    .option('--why <text>', 'with --ban: the cause, to be read by people')
    .option('--unban <peer>', 'let this peer in again')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine peers', "grapevine peers --ban 12D3KooW... --for 1h --why 'sends noise'"))
  command.action(async (flags: Flags) => {
    checkFlags(flags)
    const seconds = flags.for === undefined ? null : readTime(flags.for)
    const folder = await findDaemon(flags.dataDir ?? null)
    const changed = await change(folder, flags, seconds)
    if (changed === null) {
      const rows = (await askDaemon(folder, 'peers')) as readonly PeerRow[]
      io.out.write(flags.json ? `${JSON.stringify({ peers: rows })}\n` : `${peersText(rows, systemClock.unixSeconds()).join('\n')}\n`)
    } else io.out.write(flags.json ? `${JSON.stringify(changed.result)}\n` : `${changed.text}\n`)
    finish(DONE)
  })
}

function checkFlags({ ban, unban, for: time, why }: Flags): void {
  if (ban !== undefined && unban !== undefined) throw usage('--ban and --unban contradict each other; give one of them.')
  if (ban === undefined && (time !== undefined || why !== undefined)) throw usage('--for and --why belong to --ban PEER.')
}

async function change(
  folder: string,
  flags: Flags,
  seconds: number | null,
): Promise<{ readonly result: unknown; readonly text: string } | null> {
  if (flags.ban !== undefined) {
    const result = (await askDaemon(folder, 'ban', { peer: flags.ban, seconds, why: flags.why ?? 'no cause given' })) as { peer: string }
    return { result, text: `banned ${result.peer}${flags.for === undefined ? '' : ` for ${flags.for}`}` }
  }
  if (flags.unban === undefined) return null
  const result = (await askDaemon(folder, 'unban', { peer: flags.unban })) as { peer: string }
  return { result, text: `${result.peer} may come in again` }
}

function readTime(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? Number.NaN)
  if (!(seconds > 0)) throw usage(`--for must be a time such as 30m, 1h or 7d, not "${text}".`)
  return seconds
}

function usage(message: string): GrapevineError {
  return new GrapevineError('usage', 'local', message)
}
