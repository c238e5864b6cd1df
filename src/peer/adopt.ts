/**
 * Taking over one donor's snapshot: asked for, downloaded, verified, compared with what the swarm's beacons say of where it is, and put into
 * the learner. Where a donor fails, the next one is asked; where one stands far from the swarm, one that stands near is preferred.
 */
import { toString as encodeText } from 'uint8arrays/to-string'
import type { Learner, Replica } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { decodeReplica } from '../wire/replica.ts'
import type { Offer } from '../wire/state.ts'
import { downloadBody, downloadManifest, requestOffer } from './download.ts'
import { FAR_DONOR, farDonor, Hearsay, type Standing } from './hearsay.ts'
import { JOIN_TIMEOUT_MS, REPLICA_OVERHEAD_BYTES } from './limits.ts'
import type { PeerPorts, Run } from './run.ts'

export type Warn = (code: string, message: string) => void

export interface Adopted {
  readonly from: PeerId
  readonly version: number
  /** SHA-256 (hex) of the parameters that the learner now holds. */
  readonly digest: string
  /** How the snapshot stood; `judged`: whether beacons of others were there to compare it with. */
  readonly standing: Standing & { readonly judged: boolean }
  /** The newest beacon of everyone heard meanwhile. */
  readonly heard: ReadonlyMap<PeerId, Uint8Array>
}

/** A verified snapshot that is not adopted yet. */
interface Downloaded extends Standing {
  readonly replica: Replica
  readonly parameterDigest: Uint8Array
}

/** One donor's snapshot, whole, or another donor's: first the peer that gave the manifest, then others of the run: connected, at `addresses`, heard of. */
export async function adoptFrom(
  first: PeerId,
  addresses: readonly string[],
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
  warn: Warn,
): Promise<Adopted> {
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
      failures.push(messageOf(error))
      return null
    }
  }
  const hearsay = new Hearsay(run, ports)
  const asked = new Set<PeerId>()
  const dialled = new Set<string>()
  const nextAddress = () => [...addresses, ...hearsay.addresses(asked)].find((address) => !dialled.has(address))
  let far: Downloaded | null = null
  try {
    for (let donor: PeerId | null = first; !waiting.aborted; ) {
      if (donor !== null && !asked.has(donor)) {
        const from = donor
        asked.add(from)
        const snapshot = await attempt(async () => {
          if (from !== first) await requireSameRun(from, run, ports, waiting)
          return download(from, await requestOffer(ports, from, maxBodyBytes(run), waiting), run, ports, signal, hearsay)
        })
        if (snapshot !== null && hearsay.judge(snapshot) === 'far') far ??= snapshot
        else if (snapshot !== null) {
          const adopted = await attempt(() => adopt(snapshot, run, ports, hearsay))
          if (adopted !== null && far !== null) warn(FAR_DONOR, farDonor(far.from, `those of peer ${from} were taken instead`))
          if (adopted !== null) return adopted
        }
      }
      donor = ports.network.peers().find(({ id, relayed }) => !asked.has(id) && relayed !== true)?.id ?? null
      if (donor !== null) continue
      const address = nextAddress()
      if (address === undefined) break
      dialled.add(address)
      donor = await attempt(() => ports.network.dial(address, waiting))
    }
    if (far !== null) {
      const last = far
      warn(FAR_DONOR, farDonor(last.from, 'taken all the same: no other peer gave any; to be safe, stop and join through another one'))
      const adopted = await attempt(() => adopt(last, run, ports, hearsay))
      if (adopted !== null) return adopted
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
export async function requireSameRun(peer: PeerId, run: Run, ports: PeerPorts, signal: AbortSignal): Promise<void> {
  if (equalBytes(await downloadManifest(ports, peer, signal), run.manifestBytes)) return
  throw new GrapevineError('manifest_mismatch', 'peer', `Peer ${peer} takes part in another run.`)
}

export async function download(
  donor: PeerId,
  offer: Offer,
  run: Run,
  ports: PeerPorts,
  signal: AbortSignal,
  hearsay: Hearsay,
): Promise<Downloaded> {
  const replica = decodeReplica(await downloadBody(ports, donor, offer, signal), run.parameterCount)
  return { ...hearsay.standing(donor, replica.version, replica.parameters), replica, parameterDigest: offer.parameterDigest }
}

export async function adopt(snapshot: Downloaded, run: Run, ports: PeerPorts, hearsay: Hearsay): Promise<Adopted> {
  const { from, version, sketch, replica } = snapshot
  await run.learner.adopt(replica)
  const held = await digestOf(run.learner, ports)
  if (!equalBytes(held, snapshot.parameterDigest)) {
    throw new GrapevineError('bad_digest', 'peer', `Peer ${from} sent parameters that are not those it offered.`)
  }
  const judged = hearsay.judge(snapshot) !== 'unknown'
  return { from, version, digest: encodeText(held, 'base16'), standing: { from, version, sketch, judged }, heard: hearsay.heard() }
}

/** What the learner really holds now, not what was sent. */
async function digestOf(learner: Learner, ports: PeerPorts): Promise<Uint8Array> {
  return ports.workers.compute.digest((await learner.snapshot()).parameters)
}

/** Parameters, perhaps a target, and normalisers. */
export function maxBodyBytes(run: Run): number {
  return 2 * 4 * run.parameterCount + REPLICA_OVERHEAD_BYTES
}
