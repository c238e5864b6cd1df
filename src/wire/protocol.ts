/**
 * Names under which peers of this version meet. Equal majors join; a minor adds what older peers may ignore.
 */

/** [major, minor] of the wire formats. */
export const PROTOCOL_VERSION: readonly [number, number] = [1, 0]

/** The identify agent version: anything that does not begin with `grapevine/` is another network. */
export const AGENT_VERSION = `grapevine/${PROTOCOL_VERSION[0]}.${PROTOCOL_VERSION[1]}`

/** Manifest and snapshots: see state.ts. */
export const STATE_PROTOCOL = `/grapevine/state/${PROTOCOL_VERSION[0]}`

/** Topic of beacons; `run` is the run id in hex. */
export function beaconTopic(run: string): string {
  return `/grapevine/${PROTOCOL_VERSION[0]}/${run}/beacon`
}

/** Topic of parameter frames; `run` is the run id in hex. */
export function parameterTopic(run: string): string {
  return `/grapevine/${PROTOCOL_VERSION[0]}/${run}/params`
}
