/** The answer of `grapevine peers` for a person: who is known, how each stands, what it was refused for, and who is kept out. */

import type { PeerState } from './events.ts'
import { count, duration, harmless, mean } from './format.ts'
import { table } from './status-text.ts'

export interface PeerRow {
  readonly id: string
  readonly state: PeerState
  /** Addresses under which it is connected or that it announced. */
  readonly addresses: readonly string[]
  readonly steps: number | null
  readonly returnMean: number | null
  readonly mixes: number
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Unix seconds; `untilSeconds` null: until it is taken back. */
  readonly ban: { readonly why: string; readonly sinceSeconds: number; readonly untilSeconds: number | null } | null
}

export function peersText(rows: readonly PeerRow[], unixSeconds: number): string[] {
  if (rows.length === 0) return ['no other peers are known']
  const head = ['PEER', 'STATE', 'STEPS', 'RETURN', 'MIXES', 'REFUSED', 'ADDRESS']
  const body = rows.map((row) => [
    row.id,
    row.state,
    count(row.steps),
    mean(row.returnMean),
    count(row.mixes),
    Object.entries(row.refused)
      .map(([code, times]) => `${code} ${count(times)}`)
      .join(', ') || '-',
    harmless(withoutPeer(row.addresses[0] ?? '-')),
  ])
  const bans = rows.flatMap(({ id, ban }) => (ban === null ? [] : [banLine(id, ban, unixSeconds)]))
  return [...table([head, ...body], [false, false, true, true, true, false, false]), ...(bans.length === 0 ? [] : ['', ...bans])]
}

function banLine(id: string, ban: NonNullable<PeerRow['ban']>, unixSeconds: number): string {
  const end = ban.untilSeconds === null ? 'until --unban' : `for another ${duration(Math.max(0, ban.untilSeconds - unixSeconds))}`
  return `${id} is banned ${end}: ${harmless(ban.why)}`
}

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
