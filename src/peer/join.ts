/**
 * Joining: dial the given addresses, read the manifest from the first peer that answers, check that we can run it, download one donor's
 * frozen snapshot and verify it. Only then does the peer take part: a replica that starts from other weights destroys the average.
 *
 * Every way it can end is a GrapevineError that names the cause: refused, timeout, other_network, protocol_version, wrong_peer, self,
 * malformed (dialling); cannot_join with the field (manifest); no_donor (nobody could serve a snapshot).
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import type { Learner } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { decodeManifest, type Manifest } from '../wire/manifest.ts'
import { decodeReplica } from '../wire/replica.ts'
import type { Offer } from '../wire/state.ts'
import { checkCompatible } from './compatible.ts'
import { downloadBody, downloadManifest, requestOffer } from './download.ts'
import { JOIN_TIMEOUT_MS, REPLICA_OVERHEAD_BYTES } from './limits.ts'
import { learnerSettings, type PeerPorts, type Run, runOf } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface JoinedRun {
  readonly run: Run
  readonly from: PeerId
  readonly version: number
  /** SHA-256 (hex) of the parameters that the learner now holds. */
  readonly digest: string
}

export async function joinRun(
  addresses: readonly string[],
  settings: PeerSettings,
  ports: PeerPorts,
  signal: AbortSignal,
): Promise<JoinedRun> {
  const first = await dialAny(addresses, ports, signal)
  const manifestBytes = await downloadManifest(ports, first, signal)
  const manifest = decodeManifest(manifestBytes)
  const environment = checkCompatible(manifest, settings)
  const learner = await ports.workers.learner(learnerSettings(manifest, settings, ports.network.id))
  const initial = await learner.snapshot()
  await checkInitial(manifest, initial.parameters, ports)
  const run = runOf(manifestBytes, manifest, environment, learner, initial)
  const adopted = await adoptFrom(first, run, ports, signal)
  return { run, ...adopted }
}

/** Dials all addresses at once; the first peer that answers wins. All failed: throws the most telling failure. */
async function dialAny(addresses: readonly string[], ports: PeerPorts, signal: AbortSignal): Promise<PeerId> {
  const others = new AbortController()
  const attempts = addresses.map((address) => ports.network.dial(address, AbortSignal.any([signal, others.signal])))
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

/** An address that was reached tells more than one that was not. */
const TELLING = ['protocol_version', 'other_network', 'wrong_peer', 'self', 'malformed', 'timeout', 'refused']

function mostTelling(failures: readonly unknown[], addresses: readonly string[]): unknown {
  const rank = (failure: unknown) => (failure instanceof GrapevineError ? TELLING.indexOf(failure.code) : TELLING.length)
  const worst = [...failures].sort((a, b) => rank(a) - rank(b))[0]
  if (failures.length < 2 || !(worst instanceof GrapevineError)) return worst
  const reasons = failures.map((failure, i) => `${addresses[i]}: ${failure instanceof Error ? failure.message : String(failure)}`)
  return new GrapevineError(worst.code, worst.fault, `None of the ${addresses.length} addresses led into a swarm. ${reasons.join(' ')}`, {
    ...worst.data,
  })
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

/** One donor's snapshot, whole, or another donor's: first the peer that we reached, then whoever else is connected by now. */
async function adoptFrom(
  first: PeerId,
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
): Promise<{ from: PeerId; version: number; digest: string }> {
  const overdue = new AbortController()
  const cancel = ports.clock.after(JOIN_TIMEOUT_MS, () => overdue.abort())
  const waiting = AbortSignal.any([signal, overdue.signal])
  const failures: string[] = []
  const asked = new Set<PeerId>()
  try {
    for (let donor: PeerId | undefined = first; donor !== undefined; ) {
      asked.add(donor)
      try {
        const offer = await requestOffer(ports, donor, maxBodyBytes(run), waiting)
        return await adopt(donor, offer, run, ports, signal)
      } catch (error) {
        signal.throwIfAborted()
        failures.push(error instanceof Error ? error.message : String(error))
      }
      donor = ports.network.peers().find(({ id }) => !asked.has(id))?.id
    }
  } finally {
    cancel()
  }
  throw new GrapevineError(
    'no_donor',
    'network',
    `Reached the swarm, but no peer could send its weights: ${failures.join(' ')} Try again, or join through another peer.`,
  )
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
