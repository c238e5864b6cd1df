/**
 * Joining: dial the given addresses, take the manifest of the first peer that gives one, check that we can run it, download one donor's
 * frozen snapshot and verify it (adopt.ts). Only then does the peer take part: a replica that starts from other weights destroys the average.
 *
 * Every way it can end is a GrapevineError that names the cause: refused, timeout, other_network, protocol_version, wrong_peer, self,
 * malformed (dialling); relayed (met through a relay, and not reached directly); no_run (a peer that has none yet); cannot_join with the field (manifest); no_donor (nobody could serve a snapshot).
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import type { EnvironmentSpec } from '../envs/types.ts'
import type { PeerId } from '../ports/network.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { isRelayed } from '../wire/address.ts'
import { decodeManifest, type Manifest, runId } from '../wire/manifest.ts'
import { type Adopted, adopt, adoptFrom, download, maxBodyBytes, requireSameRun, type Warn } from './adopt.ts'
import { checkCompatible } from './compatible.ts'
import { downloadManifest, requestOffer } from './download.ts'
import { FAR_DONOR, farDonor, Hearsay } from './hearsay.ts'
import { ANSWER_TIMEOUT_MS, CATCH_UP_TIMEOUT_MS, DIRECT_POLL_MS, DIRECT_TIMEOUT_MS, NO_RUN_MS, NO_RUN_RETRY_MS } from './limits.ts'
import { relayedPeers } from './relayed.ts'
import { learnerSettings, type PeerPorts, type Run, runOf } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface JoinedRun extends Adopted {
  readonly run: Run
}

/** `settings.run.runId`: the only run that will do; peers of others are passed over. `warn` is told of a donor that stands far from the swarm. */
export async function joinRun(
  addresses: readonly string[],
  settings: PeerSettings,
  ports: PeerPorts,
  signal: AbortSignal,
  warn: Warn,
): Promise<JoinedRun> {
  const wanted = 'join' in settings.run ? (settings.run.runId ?? null) : null
  const { peer: first, manifestBytes } = await findRun(addresses, wanted, ports, signal)
  const run = await buildRun(manifestBytes, settings, ports)
  const adopted = await adoptFrom(first, addresses, run, ports, signal, warn)
  return { run, ...adopted }
}

/** The run of a manifest that others made, with a fresh learner. Throws `cannot_join`, naming the field that cannot be satisfied here. */
export async function buildRun(manifestBytes: Uint8Array, settings: PeerSettings, ports: PeerPorts): Promise<Run> {
  const manifest = decodeManifest(manifestBytes)
  const environment = checkCompatible(manifest, settings)
  checkGoal(settings, environment)
  const learner = await ports.workers.learner(learnerSettings(manifest, settings, ports.network.id))
  const initial = await learner.snapshot()
  await checkInitial(manifest, initial.parameters, ports)
  return runOf(manifestBytes, manifest, environment, learner, initial)
}

/**
 * The snapshot of the first peer at `addresses` that takes part in the run, where it has more updates behind it than `version`; null where it has
 * not, or where nobody answers. Throws only the reason of `signal`.
 */
export async function catchUp(
  addresses: readonly string[],
  version: number,
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
  warn: Warn,
): Promise<Adopted | null> {
  const hearsay = new Hearsay(run, ports)
  const overdue = new AbortController()
  const cancel = ports.clock.after(CATCH_UP_TIMEOUT_MS, () => overdue.abort())
  const others = new AbortController()
  const inTime = AbortSignal.any([signal, overdue.signal, others.signal])
  const attempts = addresses.map(async (address) => {
    const peer = await ports.network.dial(address, inTime)
    await requireSameRun(peer, run, ports, inTime)
    return { peer, offer: await requestOffer(ports, peer, maxBodyBytes(run), inTime) }
  })
  try {
    const { peer, offer } = await Promise.any(attempts)
    if (offer.version <= version) return null
    const snapshot = await download(peer, offer, run, ports, signal, hearsay)
    if (hearsay.judge(snapshot) === 'far') {
      // What this peer has itself is the better choice.
      warn(FAR_DONOR, farDonor(peer, 'not taken: this peer goes on from its own checkpoint'))
      return null
    }
    return await adopt(snapshot, run, ports, hearsay)
  } catch (error) {
    signal.throwIfAborted()
    ports.log.info('nobody to catch up with', { reason: messageOf(error) })
    return null
  } finally {
    cancel()
    others.abort()
    await Promise.allSettled(attempts)
  }
}

interface Found {
  readonly peer: PeerId
  readonly manifestBytes: Uint8Array
}

/** Asks at all addresses at once; the first peer that gives its manifest wins. All failed: throws the most telling failure. */
async function findRun(addresses: readonly string[], wanted: string | null, ports: PeerPorts, signal: AbortSignal): Promise<Found> {
  const others = new AbortController()
  const attempts = addresses.map((address) => ask(address, wanted, ports, AbortSignal.any([signal, others.signal])))
  try {
    return await Promise.any(attempts)
  } catch (error) {
    signal.throwIfAborted()
    const failures = error instanceof AggregateError ? error.errors : [error]
    throw mostTelling(failures, addresses)
  } finally {
    others.abort()
    await Promise.allSettled(attempts)
  }
}

async function ask(address: string, wanted: string | null, ports: PeerPorts, signal: AbortSignal): Promise<Found> {
  // Through a relay there are two to dial.
  const limitMs = isRelayed(address) ? 2 * ANSWER_TIMEOUT_MS : ANSWER_TIMEOUT_MS
  const overdue = new AbortController()
  const begin = () =>
    ports.clock.after(limitMs, () =>
      overdue.abort(
        new GrapevineError(
          'timeout',
          'network',
          `The peer at ${address} did not send the manifest of its run within ${limitMs / 1_000} s; try again, or join through another one.`,
        ),
      ),
    )
  let cancel = begin()
  try {
    const inTime = AbortSignal.any([signal, overdue.signal])
    const peer = await ports.network.dial(address, inTime)
    if (relayedPeers(ports.network).has(peer)) {
      cancel()
      await reachDirectly(peer, ports, signal)
      cancel = begin()
    }
    const manifestBytes = await manifestOf(peer, ports, inTime)
    if (wanted !== null && runId(manifestBytes) !== wanted) throw anotherRun(address, runId(manifestBytes), wanted)
    return { peer, manifestBytes }
  } finally {
    cancel()
  }
}

/** Both sides try to reach each other as soon as they met through a relay; this waits for it. Throws `relayed`. */
async function reachDirectly(peer: PeerId, ports: PeerPorts, signal: AbortSignal): Promise<void> {
  const untilMs = ports.clock.now() + DIRECT_TIMEOUT_MS
  while (relayedPeers(ports.network).has(peer)) {
    if (ports.clock.now() >= untilMs) throw onlyRelayed(peer)
    await ports.clock.sleep(DIRECT_POLL_MS, signal)
  }
}

function onlyRelayed(peer: PeerId): GrapevineError {
  return new GrapevineError(
    'relayed',
    'network',
    `Peer ${peer} was met through a relay, but no direct connection to it came about within ${DIRECT_TIMEOUT_MS / 1_000} s, and weights never travel through a relay: join through another peer, or make one of the two reachable (forward a port and name it with --announce, or try --upnp).`,
  )
}

function anotherRun(address: string, theirs: string, wanted: string): GrapevineError {
  return new GrapevineError(
    'cannot_join',
    'peer',
    `The peer at ${address} takes part in run ${theirs.slice(0, 12)}, and the invitation is for run ${wanted.slice(0, 12)}, which has probably ended; ask for a new invitation.`,
    { field: 'run', theirs, wanted },
  )
}

/** A peer that is joining itself answers nothing until it has a run of its own: it gets a moment. */
async function manifestOf(peer: PeerId, ports: PeerPorts, signal: AbortSignal): Promise<Uint8Array> {
  const untilMs = ports.clock.now() + NO_RUN_MS
  for (;;) {
    try {
      return await downloadManifest(ports, peer, signal)
    } catch (error) {
      if (!(error instanceof GrapevineError && ['reset', 'refused'].includes(error.code))) throw error
      if (!ports.network.peers().some(({ id }) => id === peer)) throw hungUp(peer)
      if (ports.clock.now() >= untilMs) throw noRun(peer)
      await ports.clock.sleep(NO_RUN_RETRY_MS, signal)
    }
  }
}

/** It was reached, and is gone before it was asked anything. */
function hungUp(peer: PeerId): GrapevineError {
  const why = 'it is leaving, or is connected to another peer that runs on a copy of our data folder (each needs its own: --data-dir)'
  return new GrapevineError('not_admitted', 'peer', `Peer ${peer} hung up as soon as it was reached: ${why}.`)
}

function noRun(peer: PeerId): GrapevineError {
  const why = 'it is still joining a run itself, or leaving'
  return new GrapevineError(
    'no_run',
    'peer',
    `Peer ${peer} gives no manifest: ${why}. Try again in a moment, or join through another peer.`,
  )
}

/** An address that was reached tells more than one that was not. What is not listed was reached. */
const TELLING = ['protocol_version', 'other_network', 'wrong_peer', 'self', 'malformed', 'timeout', 'refused']

function mostTelling(failures: readonly unknown[], addresses: readonly string[]): unknown {
  const rank = (failure: unknown) => (failure instanceof GrapevineError ? TELLING.indexOf(failure.code) : TELLING.length)
  const worst = [...failures].sort((a, b) => rank(a) - rank(b))[0]
  if (failures.length < 2 || !(worst instanceof GrapevineError)) return worst
  const reasons = failures.map((failure, i) => {
    const reason = messageOf(failure)
    return reason.includes(addresses[i]!) ? reason : `${addresses[i]}: ${reason}`
  })
  return new GrapevineError(worst.code, worst.fault, `None of the ${addresses.length} addresses led into a run. ${reasons.join(' ')}`, {
    ...worst.data,
  })
}

function checkGoal({ until, threshold }: PeerSettings, environment: EnvironmentSpec): void {
  if (until.kind !== 'solved' || threshold !== null || environment.threshold !== null) return
  throw new GrapevineError(
    'usage',
    'local',
    `--until solved needs --threshold: no mean return counts as solved for ${environment.id} by itself.`,
  )
}

async function checkInitial(manifest: Manifest, initial: Float32Array, ports: PeerPorts): Promise<void> {
  const digest = encodeText(await ports.workers.compute.digest(initial), 'base16')
  if (digest === manifest.initialDigest) return
  throw new GrapevineError(
    'cannot_join',
    'local',
    `Cannot take part in this run: the initial weights have digest ${manifest.initialDigest.slice(0, 12)} there and ${digest.slice(0, 12)} here, so the two builds differ.`,
    {
      field: 'initialDigest',
    },
  )
}
