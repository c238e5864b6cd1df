/**
 * Who is kept out, why, and until when. A ban is in force as soon as `ban` is called and stored when its promise resolves; it ends by
 * itself at its time (wall clock: it outlives restarts) or with `lift`.
 */
import type { Clock } from '../ports/clock.ts'
import type { PeerId } from '../ports/network.ts'
import type { Storage } from '../ports/storage.ts'
import { type Ban, loadBans, saveBans } from '../store/bans.ts'

export class Bans {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #byPeer: Map<PeerId, Ban>

  private constructor(storage: Storage, clock: Clock, stored: readonly Ban[]) {
    this.#storage = storage
    this.#clock = clock
    this.#byPeer = new Map(stored.map((ban) => [ban.peer, ban]))
  }

  static async load(storage: Storage, clock: Clock): Promise<Bans> {
    return new Bans(storage, clock, await loadBans(storage))
  }

  has(peer: PeerId): boolean {
    const ban = this.#byPeer.get(peer)
    return ban !== undefined && (ban.untilSeconds === null || this.#clock.unixSeconds() < ban.untilSeconds)
  }

  /** Those in force. */
  list(): readonly Ban[] {
    return [...this.#byPeer.values()].filter(({ peer }) => this.has(peer))
  }

  /** `seconds` null: for good. An earlier ban of the same peer is replaced. */
  async ban(peer: PeerId, why: string, seconds: number | null): Promise<Ban> {
    const sinceSeconds = this.#clock.unixSeconds()
    const ban: Ban = { peer, why, sinceSeconds, untilSeconds: seconds === null ? null : sinceSeconds + seconds }
    this.#byPeer.delete(peer)
    this.#byPeer.set(peer, ban)
    await this.#save()
    return ban
  }

  /** False when there was none. */
  async lift(peer: PeerId): Promise<boolean> {
    const was = this.has(peer)
    this.#byPeer.delete(peer)
    await this.#save()
    return was
  }

  /** Those that are over are forgotten. */
  async #save(): Promise<void> {
    for (const peer of [...this.#byPeer.keys()]) if (!this.has(peer)) this.#byPeer.delete(peer)
    await saveBans(this.#storage, this.list())
  }
}
