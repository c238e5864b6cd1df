/**
 * What the dashboard shows and may ask for: one peer, real or simulated. All values are plain JSON.
 */
import type { PlayFrame } from '../../ports/play.ts'
import type { PeerEvent, PeerStatus } from '../events.ts'

export const COMMANDS = ['pause', 'resume', 'stop', 'checkpoint', 'ban'] as const
export type CommandName = (typeof COMMANDS)[number]

/** A command's doing; `peer` is the id that `ban` names. What it throws as a GrapevineError is told to the asker. */
export type Command = (peer: string) => Promise<void> | void

/** A line between two peers in the picture of the swarm. */
export interface Link {
  readonly a: string
  readonly b: string
}

export interface Observed {
  /** Throws a GrapevineError while there is nothing to tell. */
  status(): PeerStatus
  /** Named training statistics of the last update (`train/entropy_loss`, ...). */
  statistics(): Readonly<Record<string, number>>
  /** CPU milliseconds of the learner's thread; null where unknown. */
  learnerCpuMs(): number | null
  /** What all agree on, and what is this peer's own. Holds no secrets. */
  readonly facts: { readonly manifest: unknown; readonly settings: unknown }
  /** A line to paste, the word in it that says where, and whether that leads here from other machines; null where nobody can join. */
  invitation(): { readonly line: string; readonly word: string; readonly beyondThisMachine: boolean } | null
  /** null: this peer's own connections, as its status tells them. */
  readonly links: (() => readonly Link[]) | null
  on(listener: (event: PeerEvent) => void): () => void
  /** What can be asked for; the page shows buttons for these only. */
  readonly commands: Readonly<Partial<Record<CommandName, Command>>>
  /** Lets the policy play for as long as the returned function was not called; null where it cannot. */
  readonly watch: ((show: (frame: PlayFrame) => void, failed: (message: string) => void) => () => void) | null
}
