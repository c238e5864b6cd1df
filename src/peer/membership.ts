/**
 * Who else takes part in the run, as one peer knows: it says by beacons that it is there, hears those of others over gossip or through a relay,
 * and dials again whom it lost. How each of them stands is told as the event `peer`.
 */
import { Sketcher } from '../average/sketch.ts'
import type { PeerEvent, PeerState } from '../observe/events.ts'
import type { PeerChange, PeerId } from '../ports/network.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic } from '../wire/protocol.ts'
import { type Author, Authors } from './authors.ts'
import { Beacons } from './beacons.ts'
import { Redialler } from './redial.ts'
import { Relayed } from './relayed.ts'
import type { PeerPorts, Run } from './run.ts'
import type { Snapshots } from './snapshots.ts'
import { muted } from './warnings.ts'

interface MembershipOptions {
  readonly run: Run
  readonly ports: PeerPorts
  readonly snapshots: Snapshots
  readonly incarnation: number
  /** Whether this peer follows without learning. */
  readonly observing: boolean
  /** Addresses to keep trying besides those that others announce. */
  readonly knownAddresses: readonly string[]
  /** Epoch of the last own round. */
  readonly epoch: () => number
  /** Own rounds so far, without what followed the others'. */
  readonly ownRounds: () => number
  /** Aborts when the peer stops. */
  readonly signal: AbortSignal
  readonly emit: (event: PeerEvent) => void
  readonly onAlive: () => void
  /** A connection ended; its peer may still be heard through others. */
  readonly onDisconnected: (peer: PeerId) => void
  readonly onRefused: (peer: PeerId, code: string) => void
  readonly onFailure: (error: unknown) => void
  readonly onUsurped: () => void
}

export class Membership {
  readonly authors: Authors
  readonly #options: MembershipOptions
  readonly #beacons: Beacons
  readonly #relayed: Relayed

  constructor(options: MembershipOptions) {
    this.#options = options
    const { run, ports, snapshots, incarnation, observing, epoch, ownRounds, signal, emit, onRefused, onFailure, onUsurped } = options
    const { network, clock, random, workers } = ports
    this.authors = new Authors((author) => emit(muted(author)))
    this.#beacons = new Beacons({
      network,
      clock,
      random,
      learner: run.learner,
      compute: workers.compute,
      snapshots,
      authors: this.authors,
      sketcher: new Sketcher(run.id, run.initial),
      epoch,
      ownRounds,
      topic: beaconTopic(run.id),
      incarnation,
      observing,
      onState: (author, state) => this.#onState(author, state),
      onFailure,
      onRefused,
      onUsurped,
      onPublished: (bytes) => this.#relayed.published(bytes, signal),
    })
    this.#relayed = new Relayed({
      network,
      clock,
      run,
      authors: this.authors,
      receive: (author, bytes) => void this.#beacons.receive(author, bytes, true),
      warn: (code, message) => emit({ event: 'warning', code, message }),
    })
  }

  /** Hears beacons and connections, those that stand already first; the returned function ends the latter. */
  watch(): () => void {
    const { run, ports } = this.#options
    const { network } = ports
    network.subscribe(beaconTopic(run.id), MAX_BEACON_BYTES, (author, bytes) => this.#beacons.receive(author, bytes))
    this.#relayed.serve()
    const release = network.onPeer((change) => this.#onConnection(change))
    for (const { id } of network.peers()) this.#onConnection({ id, state: 'connected' })
    return release
  }

  /** Own beacons, and dialling, until the peer stops. */
  run(): readonly Promise<void>[] {
    const { ports, signal } = this.#options
    const redialler = new Redialler({ ...ports, addresses: () => this.addressBook() })
    return [this.#beacons.run(signal), redialler.run(signal)]
  }

  /** Takes in a beacon that was heard before this peer took part. */
  hear(author: PeerId, beacon: Uint8Array): void {
    this.#beacons.receive(author, beacon)
  }

  /** Goodbye to everybody. */
  leave(): Promise<void> {
    return this.#beacons.leave()
  }

  /** Whoever sends what only a peer of the run can send is there, also when its first beacon is still on its way. */
  met(author: Author): void {
    this.#beacons.setState(author, 'alive')
  }

  /** It is kept out from now on: what it sent is dropped. */
  shutOut(id: PeerId): void {
    const author = this.authors.get(id)
    if (author === undefined) return
    author.pending = null
    author.normalisers = null
    this.#beacons.setState(author, 'banned')
  }

  /** Nobody of the run is reached but through relays. */
  get relayedOnly(): boolean {
    return this.#relayed.isAlone
  }

  /** Estimated from beacons; null while it is unknown. */
  consensusDistance(): number | null {
    return this.#beacons.consensusDistance()
  }

  /** Addresses worth dialling: those that authors announce, then those we were given. */
  addressBook(): readonly string[] {
    return [...new Set([...this.authors.announced(), ...this.#options.knownAddresses])]
  }

  #onConnection({ id, state }: PeerChange): void {
    const { ports, emit, onDisconnected } = this.#options
    const known = this.authors.get(id)
    if (state === 'disconnected') {
      onDisconnected(id)
      // It never took part: a look at the manifest, a failed join. One that did may still be heard through others.
      if (known?.state === 'connecting') this.#beacons.setState(known, 'left')
      return
    }
    if (known?.state !== 'alive') {
      this.authors.hear(id, ports.clock.now()).state = 'connecting'
      emit({ event: 'peer', id, state: 'connecting' })
    }
    this.#beacons.greet()
  }

  #onState({ id }: Author, state: PeerState): void {
    const { emit, onAlive } = this.#options
    emit({ event: 'peer', id, state })
    if (state === 'alive') onAlive()
  }
}
