/**
 * The event lines of a daemon: a contract (one JSON object per line with `--json`). Unknown numbers are null.
 */
export type PeerState = 'connecting' | 'alive' | 'silent' | 'left' | 'banned'

/** Told to listeners of a peer, by `event`. */
export type PeerEvent =
  /** Ready: addresses others can dial, own peer id, run id (hex), HTTP address or null. */
  | {
      readonly event: 'listening'
      readonly addresses: readonly string[]
      readonly peer: string
      readonly run: string
      readonly http: string | null
    }
  /** Holds the swarm's weights now. `digest`: SHA-256 (hex) of the parameters, equal to the donor's `served`. */
  | { readonly event: 'joined'; readonly run: string; readonly from: string; readonly version: number; readonly digest: string }
  | { readonly event: 'served'; readonly peer: string; readonly version: number; readonly digest: string }
  | { readonly event: 'peer'; readonly id: string; readonly state: PeerState }
  | {
      readonly event: 'stats'
      readonly steps: number
      readonly updates: number
      readonly stepsPerSecond: number | null
      readonly returnMean: number | null
      readonly episodes: number
      readonly peers: number
      readonly consensusDistance: number | null
      readonly bytesIn: number
      readonly bytesOut: number
    }
  /** One per author mixed. `distance`: norm of the difference over the norm of the own parameters; `staleness` in updates; `bytes` of the frame. */
  | {
      readonly event: 'mix'
      readonly with: string
      readonly strategy: string
      readonly distance: number | null
      readonly staleness: number | null
      readonly stalenessMs: number | null
      readonly bytes: number
    }
  /** Mean raw returns of this peer's replica after `steps` environment steps, over `episodes` each; `stochastic` null: it acts greedily only. */
  | {
      readonly event: 'evaluation'
      readonly steps: number
      readonly deterministic: number | null
      readonly stochastic: number | null
      readonly episodes: number
    }
  | { readonly event: 'refused'; readonly peer: string; readonly code: string }
  | { readonly event: 'warning'; readonly code: string; readonly message: string }
  | { readonly event: 'checkpoint'; readonly path: string }
  | { readonly event: 'solved'; readonly steps: number; readonly seconds: number; readonly returnMean: number }
  | { readonly event: 'stopped'; readonly reason: string; readonly steps: number }
  | { readonly event: 'error'; readonly code: string; readonly message: string }

/** What `status` prints and the library's `status()` returns. */
export interface PeerStatus {
  readonly peer: string
  readonly run: string
  readonly name: string
  readonly version: string
  readonly uptimeSeconds: number
  readonly addresses: readonly string[]
  readonly environment: string
  readonly algorithm: string
  readonly strategy: string
  readonly engine: string
  readonly steps: number
  readonly updates: number
  readonly stepsPerSecond: number | null
  readonly returnMean: number | null
  readonly episodes: number
  /** A person has paused it: it averages, and does not learn. */
  readonly paused: boolean
  /** It follows the run and neither learns nor averages; absent: no. */
  readonly observing?: boolean
  readonly consensusDistance: number | null
  /** Nobody of the run is reached but through relays: this peer learns alone. */
  readonly relayedOnly: boolean
  /** Whether others could dial this peer when it asked them to; null: nobody has told yet. */
  readonly reachable: boolean | null
  readonly peers: readonly {
    readonly id: string
    readonly state: PeerState
    readonly steps: number | null
    readonly returnMean: number | null
    readonly mixes: number
    readonly refused: number
    /** From 1 (nothing against it) to 0; muted: its frames are not looked at for a while. */
    readonly trust: number
    readonly muted: boolean
    /** Updates behind its replica, as its last beacon says; null before the first. */
    readonly version: number | null
    /** It says that it only watches; absent: no. */
    readonly observing?: boolean
    /** Whether a connection to it is open. */
    readonly connected: boolean
    /** Through a relay only: beacons reach it, and nothing larger. */
    readonly relayed: boolean
    /** Seconds since it was last heard. */
    readonly heardSecondsAgo: number
    /** Seconds since its last snapshot was mixed; null before the first. */
    readonly mixedSecondsAgo: number | null
    /** Why messages of it were refused, and how often. */
    readonly causes: Readonly<Record<string, number>>
  }[]
  readonly counters: Readonly<Record<string, number>>
}
