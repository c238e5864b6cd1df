/**
 * Joining: dial the given addresses, take the manifest of the first peer that gives one, check that we can run it, download one donor's
 * frozen snapshot and verify it. Only then does the peer take part: a replica that starts from other weights destroys the average.
 *
 * Every way it can end is a GrapevineError that names the cause: refused, timeout, other_network, protocol_version, wrong_peer, self,
 * malformed (dialling); no_run (a peer that has none yet); cannot_join with the field (manifest); no_donor (nobody could serve a snapshot).
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import type { EnvironmentSpec } from '../envs/types.ts'
import type { Learner } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { decodeManifest, type Manifest, runId } from '../wire/manifest.ts'
import { decodeReplica } from '../wire/replica.ts'
import type { Offer } from '../wire/state.ts'
import { checkCompatible } from './compatible.ts'
import { downloadBody, downloadManifest, requestOffer } from './download.ts'
import { ANSWER_TIMEOUT_MS, CATCH_UP_TIMEOUT_MS, JOIN_TIMEOUT_MS, NO_RUN_MS, NO_RUN_RETRY_MS, REPLICA_OVERHEAD_BYTES } from './limits.ts'
import { learnerSettings, type PeerPorts, type Run, runOf } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface JoinedRun {
  readonly run: Run
  readonly from: PeerId
  readonly version: number
  /** SHA-256 (hex) of the parameters that the learner now holds. */
  readonly digest: string
}

/** `settings.run.runId`: the only run that will do; peers of others are passed over. */
export async function joinRun(
  addresses: readonly string[],
  settings: PeerSettings,
  ports: PeerPorts,
  signal: AbortSignal,
): Promise<JoinedRun> {
  const wanted = 'join' in settings.run ? (settings.run.runId ?? null) : null
  const { peer: first, manifestBytes } = await findRun(addresses, wanted, ports, signal)
  const run = await buildRun(manifestBytes, settings, ports)
  const adopted = await adoptFrom(first, addresses, run, ports, signal)
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
): Promise<Omit<JoinedRun, 'run'> | null> {
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
    return offer.version > version ? await adopt(peer, offer, run, ports, signal) : null
  } catch (error) {
    signal.throwIfAborted()
    ports.log.info('nobody to catch up with', { reason: error instanceof Error ? error.message : String(error) })
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
  const overdue = new AbortController()
  const cancel = ports.clock.after(ANSWER_TIMEOUT_MS, () =>
    overdue.abort(
      new GrapevineError(
        'timeout',
        'network',
        `The peer at ${address} did not send the manifest of its run within ${ANSWER_TIMEOUT_MS / 1_000} s; try again, or join through another one.`,
      ),
    ),
  )
  try {
    const inTime = AbortSignal.any([signal, overdue.signal])
    const peer = await ports.network.dial(address, inTime)
    const manifestBytes = await manifestOf(peer, ports, inTime)
    if (wanted !== null && runId(manifestBytes) !== wanted) throw anotherRun(address, runId(manifestBytes), wanted)
    return { peer, manifestBytes }
  } finally {
    cancel()
  }
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
      if (!(error instanceof GrapevineError && error.code === 'reset')) throw error
      if (!ports.network.peers().some(({ id }) => id === peer)) throw error
      if (ports.clock.now() >= untilMs) throw noRun(peer)
      await ports.clock.sleep(NO_RUN_RETRY_MS, signal)
    }
  }
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
    const reason = failure instanceof Error ? failure.message : String(failure)
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

/** One donor's snapshot, whole, or another donor's: first the peer that gave the manifest, then others of the run, connected or at `addresses`. */
async function adoptFrom(
  first: PeerId,
  addresses: readonly string[],
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
): Promise<{ from: PeerId; version: number; digest: string }> {
  const overdue = new AbortController()
  const cancel = ports.clock.after(JOIN_TIMEOUT_MS, () =>
    overdue.abort(new GrapevineError('timeout', 'network', `It took more than ${JOIN_TIMEOUT_MS / 1_000} s.`)),
  )
  const waiting = AbortSignal.any([signal, overdue.signal])
  const failures: string[] = []
  const attempt = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error instanceof Error ? error.message : String(error))
      return null
    }
  }
  const asked = new Set<PeerId>()
  const undialled = [...addresses]
  try {
    for (let donor: PeerId | null = first; !waiting.aborted; ) {
      if (donor !== null && !asked.has(donor)) {
        const from = donor
        asked.add(from)
        const adopted = await attempt(async () => {
          if (from !== first) await requireSameRun(from, run, ports, waiting)
          const offer = await requestOffer(ports, from, maxBodyBytes(run), waiting)
          return adopt(from, offer, run, ports, signal)
        })
        if (adopted !== null) return adopted
      }
      donor = ports.network.peers().find(({ id }) => !asked.has(id))?.id ?? null
      if (donor !== null) continue
      const address = undialled.shift()
      if (address === undefined) break
      donor = await attempt(() => ports.network.dial(address, waiting))
    }
  } finally {
    cancel()
  }
  throw new GrapevineError(
    'no_donor',
    'network',
    `Reached the swarm, but no peer could send its weights: ${[...new Set(failures)].join(' ')} Try again, or join through another peer.`,
  )
}

/** Who is connected need not take part in this run. */
async function requireSameRun(peer: PeerId, run: Run, ports: PeerPorts, signal: AbortSignal): Promise<void> {
  if (equalBytes(await downloadManifest(ports, peer, signal), run.manifestBytes)) return
  throw new GrapevineError('manifest_mismatch', 'peer', `Peer ${peer} takes part in another run.`)
}

async function adopt(
  donor: PeerId,
  offer: Offer,
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
): Promise<{ from: PeerId; version: number; digest: string }> {
  const body = await downloadBody(ports, donor, offer, signal)
  const replica = decodeReplica(body, run.parameterCount)
  await run.learner.adopt(replica)
  const held = await digestOf(run.learner, ports)
  if (!equalBytes(held, offer.parameterDigest)) {
    throw new GrapevineError('bad_digest', 'peer', `Peer ${donor} sent parameters that are not those it offered.`)
  }
  return { from: donor, version: replica.version, digest: encodeText(held, 'base16') }
}

/** What the learner really holds now, not what was sent. */
async function digestOf(learner: Learner, ports: PeerPorts): Promise<Uint8Array> {
  return ports.workers.compute.digest((await learner.snapshot()).parameters)
}

/** Parameters, perhaps a target, and normalisers. */
function maxBodyBytes(run: Run): number {
  return 2 * 4 * run.parameterCount + REPLICA_OVERHEAD_BYTES
}
