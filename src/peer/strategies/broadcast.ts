/**
 * `broadcast`: publish my snapshot over gossip; mix the newest unused snapshot of each of the k authors heard:
 * x += sum_j c_j (Q(theirs_j) - Q(mine)) / (k + 1), or what another robust rule makes of them, where mine is my own snapshot of the moment when
 * theirs came, if rounds come evenly (average/forward.ts). Each pair is used once. With the partner rule `ring` only both neighbours are heard.
 */
import { payloadBytes } from '../../average/codecs.ts'
import { robustDelta } from '../../average/combine.ts'
import { squaredDistance } from '../../average/distance.ts'
import { broughtForward, cameEvenly, shareAfter } from '../../average/forward.ts'
import { EVEN_ROUNDS } from '../../average/limits.ts'
import { ringNeighbours } from '../../average/partners.ts'
import type { PeerId, Verdict } from '../../ports/network.ts'
import { encodedFrameBytes } from '../../wire/frame.ts'
import { parameterTopic } from '../../wire/protocol.ts'
import type { PendingFrame } from '../authors.ts'
import type { OwnFrame } from '../frames.ts'
import { MAX_FRAME_AGE_MS } from '../limits.ts'
import { weighted } from '../mixing.ts'
import type { Strategy, StrategyContext } from './strategy.ts'

export const broadcast: Strategy = {
  name: 'broadcast',
  rules: ['all', 'ring'],
  start(context) {
    const { network, run, codec, authors } = context
    const topic = parameterTopic(run.id)
    let published = 0
    let undelivered = 0
    /** When the last EVEN_ROUNDS own snapshots were taken. */
    let roundsAtMs: readonly number[] = []
    // Of a part of the coordinates each is mixed too seldom for a round's way to matter.
    const whole = codec.coordinates(run.parameterCount) === null
    const frameBytes = encodedFrameBytes(payloadBytes(codec, run.parameterCount), run.normaliserSizes)
    network.subscribe(topic, frameBytes, (author, bytes) => receive(context, author, bytes))
    return {
      async round({ delivered }) {
        const listeners = network.subscribers(topic).length
        if (listeners === 0 && !authors.hasPending()) return
        const own = await context.ownFrame()
        roundsAtMs = [...roundsAtMs, own.snapshot.takenAtMs].slice(-EVEN_ROUNDS)
        if (listeners > 0) {
          published++
          if ((await network.publish(topic, own.bytes)) === 0) undelivered++
        }
        await delivered?.()
        await mix(context, own, whole && cameEvenly(roundsAtMs))
      },
      counters: () => ({ published, undelivered }),
    }
  },
}

/** Keeps a frame that passes the gate until the next round. */
function receive(context: StrategyContext, id: PeerId, bytes: Uint8Array): Verdict {
  const { network, authors, clock } = context
  if (id === network.id) return 'ignore'
  const result = context.receive(id, bytes)
  if (!result.ok) return result.verdict
  const { author, frame, parameters, moments } = result
  const { normalisers, version, epoch } = frame
  authors.hold(author, { parameters, moments, normalisers, version, epoch, bytes: bytes.length, receivedAtMs: clock.now() })
  return 'accept'
}

async function mix(context: StrategyContext, own: OwnFrame, evenly: boolean): Promise<void> {
  const { authors, clock, clip, robust } = context
  const heard = context.rule === 'ring' ? ringNeighbours(context.view(), context.network.id) : null
  const pending = authors.takePending(clock.now(), MAX_FRAME_AGE_MS)
  const received = heard === null ? pending : pending.filter(({ author }) => heard.includes(author.id))
  if (received.length === 0) return
  const { mine } = own
  const sent = received.map(({ frame }) => against(mine, own.mineFor(frame.epoch), frame.parameters))
  const frames = received.map(({ frame }) => frame)
  const theirs = evenly ? await asOfNow(own, frames, sent) : sent
  const differences = received.map(({ author }, j) => {
    const parameters = theirs[j]!
    return { author: author.id, norm: Math.sqrt(squaredDistance(parameters, mine)), theirs: sent[j]! }
  })
  const factors = clip.factors(own, differences)
  const delta = new Float32Array(mine.length)
  robustDelta(robust, theirs, mine, delta, factors)
  const mixed = received.map(({ author, frame }, i) => ({
    author,
    normalisers: frame.normalisers,
    version: frame.version,
    distance: own.norm === 0 ? null : differences[i]!.norm / own.norm,
    bytes: frame.bytes,
    receivedAtMs: frame.receivedAtMs,
    ...weighted(frame.moments, frame.epoch, factors[i]! / (received.length + 1)),
  }))
  await context.apply(delta, own, mixed)
  clip.mixed(own, differences, factors)
}

/** Their parameters as if drawn like `mine`: what differs is what differs from `mineThere`, our own as drawn like theirs. */
function against(mine: Float32Array, mineThere: Float32Array, theirs: Float32Array): Float32Array {
  return mineThere === mine ? theirs : theirs.map((value, i) => mine[i]! + (value - mineThere[i]!))
}

/** What was sent, as if its authors had moved since it came as we have. */
async function asOfNow({ snapshot, lastMix }: OwnFrame, frames: readonly PendingFrame[], sent: readonly Float32Array[]) {
  if (frames.every(({ receivedAtMs }) => receivedAtMs >= snapshot.takenAtMs)) return sent
  const last = await lastMix()
  if (last === null) return sent
  return sent.map((parameters, j) => {
    const share = shareAfter(frames[j]!.receivedAtMs, last.takenAtMs, snapshot.takenAtMs)
    return broughtForward(parameters, share, last.parameters, snapshot.parameters)
  })
}
