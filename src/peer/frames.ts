/**
 * Frames of one peer: its own, numbered without a gap in this incarnation, and those of others, which pass the gate here. A refused one is
 * counted against its author and told.
 */
import type { Codec } from '../average/codecs.ts'
import { sumOfSquares } from '../average/distance.ts'
import type { PeerId, Verdict } from '../ports/network.ts'
import { encodeFrame, type Frame } from '../wire/frame.ts'
import type { Author, Authors } from './authors.ts'
import { judgeFrame } from './gate.ts'
import type { Intake } from './intake.ts'
import type { OwnMoves } from './own-moves.ts'
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
  /** Share of the coordinates that travel. */
  readonly share: number
}

export type ReceivedFrame =
  | { readonly ok: true; readonly author: Author; readonly frame: Frame; readonly parameters: Float32Array }
  /** How the network is to treat its bearer. */
  | { readonly ok: false; readonly code: string; readonly verdict: Exclude<Verdict, 'accept'> }

export interface FramesOptions {
  readonly self: PeerId
  readonly run: Run
  readonly codec: Codec
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

  constructor(options: FramesOptions) {
    this.#options = options
  }

  /** Frames made in this incarnation. */
  get sequence(): number {
    return this.#sequence
  }

  /** A snapshot, taken now, and its frame. `epoch`: the round that it belongs to, which also draws its coordinates. */
  async take(epoch: number): Promise<OwnFrame> {
    const { self, run, codec, incarnation, snapshots, moves } = this.#options
    const snapshot = await snapshots.take()
    const { parameters } = snapshot
    const payload = new Uint8Array(codec.bytesFor(parameters.length))
    const quantised = (draw: number) => {
      codec.encode(parameters, payload, draw)
      const values = new Float32Array(parameters.length)
      codec.decode(payload, values, draw)
      return values
    }
    const mine = quantised(epoch)
    this.#sequence++
    const bytes = encodeFrame({
      runPrefix: run.prefix,
      author: self,
      incarnation,
      sequence: this.#sequence,
      version: snapshot.version,
      epoch,
      codec: codec.id,
      count: parameters.length,
      payload,
      normalisers: snapshot.ownNormalisers,
    })
    const draws = codec.coordinates(parameters.length) !== null
    return {
      snapshot,
      bytes,
      epoch,
      mine,
      mineFor: (draw) => (draws && draw !== epoch ? quantised(draw) : mine),
      moved: moves.measure(snapshot),
      share: codec.shareOf(parameters.length),
    }
  }

  receive(id: PeerId, bytes: Uint8Array): ReceivedFrame {
    const { run, codec, snapshots, authors, intake, now, onHeard } = this.#options
    const author = authors.hear(id, now())
    if (authors.isMuted(author, now())) return { ok: false, code: 'muted', verdict: 'ignore' }
    const over = intake.overRate(id, bytes.length, now())
    if (over !== null) return this.#refuse(author, 'rate_limited', over)
    const own = snapshots.latest?.parameters ?? run.initial
    const result = judgeFrame(id, bytes, {
      runPrefix: run.prefix,
      codec,
      parameterCount: run.parameterCount,
      normaliserSizes: run.normaliserSizes,
      last: author.frame,
      ownNorm: Math.sqrt(sumOfSquares(own)),
    })
    if (!result.ok) {
      if (result.code === 'late') return this.#late()
      return this.#refuse(author, result.code, result.hostile ? 'reject' : 'ignore')
    }
    const { beacon } = author
    if (beacon?.leaving && result.frame.incarnation <= beacon.incarnation) return this.#late()
    if (!intake.admits(id, now())) return this.#refuse(author, 'quota', 'ignore')
    author.frame = { incarnation: result.frame.incarnation, sequence: result.frame.sequence }
    onHeard(author)
    return { ok: true, author, frame: result.frame, parameters: result.parameters }
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
