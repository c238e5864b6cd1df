/**
 * Frames of one peer: its own, numbered without a gap in this incarnation, and those of others, which pass the gate here. A refused one is
 * counted against its author and told.
 */
import { type Codec, type CodecModel, payloadBytes } from '../average/codecs.ts'
import { sumOfSquares } from '../average/distance.ts'
import { type CodecUse, framePass, payloadPass } from '../average/passes.ts'
import type { Moments } from '../ports/learner.ts'
import type { PeerId, Verdict } from '../ports/network.ts'
import type { Compute } from '../ports/workers.ts'
import { giveBack, reuseBytes, reuseFloats } from '../util/memory.ts'
import { encodedFrameBytes, type Frame } from '../wire/frame.ts'
import { type Author, type Authors, isNewer } from './authors.ts'
import { type GateContext, type GateResult, judgeFrame, judgeOpened, openFrame } from './gate.ts'
import type { Intake } from './intake.ts'
import type { OwnMoves, Standing } from './own-moves.ts'
import type { Run } from './run.ts'
import type { Snapshots, TakenSnapshot } from './snapshots.ts'

/** The own replica as others see it, and the frame that carries it. */
export interface OwnFrame {
  readonly snapshot: TakenSnapshot
  /** The frame's bytes. */
  readonly bytes: Uint8Array
  /** The round it belongs to, as the frame says. It draws the coordinates, where a codec sends some: both sides of a difference need the same. */
  readonly epoch: number
  /** Q(mine): the own parameters after the codec. */
  readonly mine: Float32Array
  /** Q(mine) as drawn by another frame's epoch. */
  mineFor(epoch: number): Float32Array
  /** How far our own updates moved us since the last mix; null: not known. */
  readonly moved: number | null
  /** Of `mine`. */
  readonly norm: number
  /** Where the last mix had left the replica; null: not known, or a later snapshot was mixed already. */
  lastMix(): Promise<Standing | null>
}

export type ReceivedFrame =
  | {
      readonly ok: true
      readonly author: Author
      readonly frame: Frame
      /** Or half the difference from `mine`, where that was given. */
      readonly parameters: Float32Array
      /** Norm of the difference from `mine`; 0 where none was given. */
      readonly distance: number
      /** null: none travel. */
      readonly moments: Moments | null
    }
  /** How the network is to treat its bearer. */
  | { readonly ok: false; readonly code: string; readonly verdict: Exclude<Verdict, 'accept'> }

export interface VerifyOptions {
  /** Also one that is older than the last. */
  readonly anyOrder?: boolean
  /** What is wanted is the difference from these parameters [n]. */
  readonly mine?: Float32Array
}

export interface FramesOptions {
  readonly self: PeerId
  readonly run: Run
  readonly codec: Codec
  readonly codecModel: CodecModel
  readonly compute: Compute
  readonly incarnation: number
  readonly snapshots: Snapshots
  readonly authors: Authors
  readonly intake: Intake
  readonly moves: OwnMoves
  readonly now: () => number
  /** Whose frame is heard is there, also when its first beacon is still on its way. */
  readonly onHeard: (author: Author) => void
  readonly onRefused: (peer: PeerId, code: string) => void
}

export class Frames {
  readonly #options: FramesOptions
  #sequence = 0
  /** Of the parameters in the last own frame; null before. */
  #ownNorm: number | null = null

  constructor(options: FramesOptions) {
    this.#options = options
  }

  /** Frames made in this incarnation. */
  get sequence(): number {
    return this.#sequence
  }

  /** A snapshot, taken now, after every earlier delta was applied, and its frame. `epoch`: the round that it belongs to, which also draws its coordinates. */
  async take(epoch: number): Promise<OwnFrame> {
    const { self, run, codec, incarnation, snapshots, compute, moves } = this.#options
    const snapshot = await snapshots.take()
    const { parameters, moments } = snapshot
    this.#sequence++
    const header = {
      runPrefix: run.prefix,
      author: self,
      incarnation,
      sequence: this.#sequence,
      version: snapshot.version,
      epoch,
      normalisers: snapshot.ownNormalisers,
    }
    const bytes = reuseBytes(encodedFrameBytes(payloadBytes(codec, parameters.length), run.normaliserSizes), parameters.byteLength)
    const input = { header, codec: this.#use(epoch), values: parameters, moments, into: bytes }
    const { mine, norm } = await compute.pass(framePass, input, parameters.byteLength)
    this.#ownNorm = norm
    const draws = codec.coordinates(parameters.length) !== null
    return {
      snapshot,
      bytes,
      epoch,
      mine,
      norm,
      mineFor: (draw) => (draws && draw !== epoch ? quantised(codec, parameters, draw) : mine),
      moved: await moves.measure(snapshot),
      lastMix: () => moves.before(snapshot),
    }
  }

  /** Of a frame that came through gossip: judged at once. */
  receive(id: PeerId, bytes: Uint8Array): ReceivedFrame {
    const { authors, intake, now } = this.#options
    const author = authors.hear(id, now())
    if (authors.isMuted(author, now())) return { ok: false, code: 'muted', verdict: 'ignore' }
    const over = intake.overRate(id, bytes.length, now())
    if (over !== null) return this.#refuse(author, 'rate_limited', over)
    return this.#judged(author, judgeFrame(id, bytes, this.#context(author)))
  }

  /** Of a frame that we asked for; passes over large ones run in a helper thread. */
  async verify(id: PeerId, bytes: Uint8Array, { anyOrder = false, mine }: VerifyOptions = {}): Promise<ReceivedFrame> {
    const { authors, compute, now } = this.#options
    const author = authors.hear(id, now())
    const opened = openFrame(id, bytes, this.#context(author))
    if (!opened.ok) return this.#judged(author, opened)
    const { frame } = opened
    const passBytes = Math.max(frame.payload.length, 4 * frame.count)
    const parameters = reuseFloats(frame.count, passBytes)
    const input = { payload: frame.payload, digest: frame.digest, codec: this.#use(frame.epoch), mine: mine ?? null, into: parameters }
    const inspected = await compute.pass(payloadPass, input, passBytes)
    const context = anyOrder ? { ...this.#context(author), last: null } : this.#context(author)
    // What comes back from a thread is another view of the same memory.
    const here = { ...inspected, parameters: inspected.parameters === null ? null : parameters }
    const received = this.#judged(author, judgeOpened(frame, here, context), inspected.distance)
    if (!received.ok) giveBack(parameters)
    return received
  }

  /** Counts against `id`, and tells, what is wrong with a message of its own. */
  refuse(id: PeerId, code: string): void {
    this.#refuse(this.#options.authors.hear(id, this.#options.now()), code, 'ignore')
  }

  #judged(author: Author, result: GateResult, distance = 0): ReceivedFrame {
    const { intake, now, onHeard } = this.#options
    if (!result.ok) {
      if (result.code === 'late') return this.#late()
      return this.#refuse(author, result.code, result.hostile ? 'reject' : 'ignore')
    }
    const { beacon } = author
    if (beacon?.leaving && result.frame.incarnation <= beacon.incarnation) return this.#late()
    if (!intake.admits(author.id, now())) return this.#refuse(author, 'quota', 'ignore')
    if (isNewer(result.frame, author.frame)) author.frame = { incarnation: result.frame.incarnation, sequence: result.frame.sequence }
    onHeard(author)
    return { ok: true, author, frame: result.frame, parameters: result.parameters, distance, moments: result.moments }
  }

  #context(author: Author): GateContext {
    const { run, codec } = this.#options
    this.#ownNorm ??= Math.sqrt(sumOfSquares(run.initial))
    return {
      runPrefix: run.prefix,
      codec,
      parameterCount: run.parameterCount,
      normaliserSizes: run.normaliserSizes,
      last: author.frame,
      ownNorm: this.#ownNorm,
    }
  }

  #use(draw: number): CodecUse {
    const { codec, codecModel } = this.#options
    return { name: codec.name, model: codecModel, draw }
  }

  #late(): ReceivedFrame {
    this.#options.authors.late++
    return { ok: false, code: 'late', verdict: 'ignore' }
  }

  #refuse(author: Author, code: string, verdict: Exclude<Verdict, 'accept'>): ReceivedFrame {
    const { authors, now } = this.#options
    authors.refuse(author, code, now())
    this.#options.onRefused(author.id, code)
    return { ok: false, code, verdict }
  }
}

/** Q(values), as drawn by `draw`. */
function quantised(codec: Codec, values: Float32Array, draw: number): Float32Array {
  const payload = new Uint8Array(codec.bytesFor(values.length))
  codec.encode(values, payload, draw)
  const decoded = new Float32Array(values.length)
  codec.decode(payload, decoded, draw)
  return decoded
}
