/**
 * Names under which peers of this version meet. Equal majors join; a minor adds request kinds and settings that older peers answer with
 * "unknown", and never changes a layout.
 */

/** [major, minor] of the wire formats. */
export const PROTOCOL_VERSION: readonly [number, number] = [1, 0]

/** The identify agent version: anything that does not begin with `grapevine/` is another network. */
export const AGENT_VERSION = `grapevine/${PROTOCOL_VERSION[0]}.${PROTOCOL_VERSION[1]}`

/** Manifest and snapshots: see state.ts. */
export const STATE_PROTOCOL = `/grapevine/state/${PROTOCOL_VERSION[0]}`

/** Exchanges of parameters: see exchange.ts. */
export const EXCHANGE_PROTOCOL = `/grapevine/exchange/${PROTOCOL_VERSION[0]}`

/** Experience: see experience.ts. */
export const EXPERIENCE_PROTOCOL = `/grapevine/experience/${PROTOCOL_VERSION[0]}`

/** Beacons for peers that are reached through a relay only, one a request; the beginning of the run id is enough to tell runs apart. */
export function relayedBeaconProtocol(run: string): string {
  return `/grapevine/beacon/${PROTOCOL_VERSION[0]}/${run.slice(0, 16)}`
}

/** Gossip topic of a run's beacons; `run` is the run id in hex. */
export function beaconTopic(run: string): string {
  return `/grapevine/${PROTOCOL_VERSION[0]}/${run}/beacon`
}

/** Gossip topic of a run's parameter frames; `run` is the run id in hex. */
export function parameterTopic(run: string): string {
  return `/grapevine/${PROTOCOL_VERSION[0]}/${run}/params`
}
