/**
 * Every decoder of bytes that others send, with a valid message or two each: what the fuzz test and the fuzz benchmark run over. A new format
 * belongs here.
 */
import { FrameGuard } from '../../src/swarm/frame-guard.ts'
import { seededRandom } from '../../src/util/random.ts'
import { sha256 } from '../../src/util/sha256.ts'
import { decodeBeacon, encodeBeacon } from '../../src/wire/beacon.ts'
import {
  decodeExperienceRequest,
  decodeExperienceResponse,
  encodeExperienceRequest,
  encodeExperienceResponse,
} from '../../src/wire/experience.ts'
import { checkDigest, decodeFrame, encodeFrame, RUN_PREFIX_BYTES } from '../../src/wire/frame.ts'
import { freezeReplica } from '../../src/wire/frozen.ts'
import { decodeInvitation, encodeInvitation } from '../../src/wire/invitation.ts'
import { SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { decodeManifest, encodeManifest } from '../../src/wire/manifest.ts'
import { decodeReplica } from '../../src/wire/replica.ts'
import { bodyDigest, decodeStateRequest, decodeStateResponse, encodeStateRequest, encodeStateResponse } from '../../src/wire/state.ts'
import { decodeSwarmKey, encodeSwarmKey } from '../../src/wire/swarm-key.ts'
import { BYTE_TRANSITIONS, CONTINUOUS_ROLLOUT, exampleOffer, ROLLOUT, TRANSITIONS } from './experience.ts'
import { EXAMPLE_MANIFEST } from './manifest.ts'
import { examplePeerId } from './peer-ids.ts'

export interface Decoder {
  readonly name: string
  readonly decode: (bytes: Uint8Array) => unknown
  readonly valid: readonly Uint8Array[]
  /** Positions at which lengths and counts stand in the valid messages, for mutations that lie about sizes. */
  readonly lengthsAt: readonly number[]
  /** Bytes that a call may take beside twice its input. */
  readonly allowanceBytes: number
}

const ALLOWANCE_BYTES = 65_536

/**
 * CBOR and its schema churn through short-lived objects: about 150 bytes for each byte of a manifest. A joiner reads one, of 64 KiB at most, from
 * each peer it asks.
 */
const MANIFEST_ALLOWANCE_BYTES = 524_288

const PARAMETERS = 5
const normalisers = [{ count: 9, mean: Float64Array.of(1, 2), m2: Float64Array.of(0, 3) }]
const parameters = Float32Array.from({ length: PARAMETERS }, (_, i) => i / 3)
const frozen = freezeReplica({ parameters, target: parameters, version: 3, steps: 4, normalisers })
const text = new TextDecoder('latin1')
const latin1 = (word: string) => new Uint8Array(Buffer.from(word, 'latin1'))

export const DECODERS: readonly Decoder[] = [
  {
    name: 'beacon',
    decode: decodeBeacon,
    valid: [
      encodeBeacon({
        incarnation: 1,
        sequence: 2,
        epoch: 3,
        version: 4,
        steps: 5,
        returnMean: 6.5,
        digest: sha256(Uint8Array.of(1)),
        sketch: Float32Array.from({ length: SKETCH_BUCKETS }, (_, i) => (i - 128) / 128),
        holding: false,
        leaving: false,
        observing: false,
        addresses: [`/ip4/10.0.0.1/tcp/4001/p2p/${examplePeerId(1)}`, `/ip4/10.0.0.2/tcp/4001/p2p/${examplePeerId(1)}`],
      }),
    ],
    lengthsAt: [7, 604],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'frame',
    decode: (bytes) => checkDigest(decodeFrame(bytes)),
    valid: [
      encodeFrame({
        runPrefix: new Uint8Array(RUN_PREFIX_BYTES),
        author: examplePeerId(3),
        incarnation: 1,
        sequence: 2,
        version: 3,
        epoch: 4,
        codec: 'f32',
        count: PARAMETERS,
        payload: new Uint8Array(parameters.buffer),
        normalisers,
      }),
    ],
    lengthsAt: [8, 12, 156, 165],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'manifest',
    decode: decodeManifest,
    valid: [encodeManifest(EXAMPLE_MANIFEST)],
    lengthsAt: [0, 1, 20, 50],
    allowanceBytes: MANIFEST_ALLOWANCE_BYTES,
  },
  {
    name: 'state request',
    decode: decodeStateRequest,
    valid: [
      encodeStateRequest({ kind: 'manifest', offset: 0, length: 100 }),
      encodeStateRequest({ kind: 'range', body: frozen.parameterDigest, offset: 7, length: 9 }),
      encodeStateRequest({ kind: 'done', body: frozen.parameterDigest }),
    ],
    lengthsAt: [1, 5, 33, 41],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'state answer',
    decode: decodeStateResponse,
    valid: [
      encodeStateResponse({ kind: 'manifest', totalBytes: 3, bytes: Uint8Array.of(1, 2, 3) }),
      encodeStateResponse({
        kind: 'offer',
        offer: {
          body: bodyDigest(frozen.body.length, frozen.chunks),
          bodyBytes: frozen.body.length,
          chunks: frozen.chunks,
          parameterDigest: frozen.parameterDigest,
          version: 1,
          steps: 2,
          epoch: 3,
          sequence: 4,
        },
      }),
      encodeStateResponse({ kind: 'error', code: 'busy' }),
    ],
    lengthsAt: [1, 33, 105],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'snapshot',
    decode: (bytes) => decodeReplica(bytes, PARAMETERS),
    valid: [frozen.body],
    lengthsAt: [8, 72, 81],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'invitation',
    decode: (bytes) => decodeInvitation(text.decode(bytes)),
    valid: [
      latin1(encodeInvitation({ run: 'ab'.repeat(32), addresses: ['/ip4/10.0.0.1/tcp/1', '/dns4/example.org/tcp/2'], swarmKey: null })),
      latin1(
        encodeInvitation({
          run: 'cd'.repeat(32),
          addresses: [`/ip4/10.0.0.1/tcp/1/p2p/${examplePeerId(2)}`],
          swarmKey: new Uint8Array(32),
        }),
      ),
    ],
    lengthsAt: [55, 60],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'swarm key',
    decode: decodeSwarmKey,
    valid: [encodeSwarmKey(new Uint8Array(32).fill(7))],
    lengthsAt: [30],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  {
    name: 'experience request',
    decode: decodeExperienceRequest,
    valid: [encodeExperienceRequest({ after: { incarnation: 5, sequence: 6 } })],
    lengthsAt: [1, 9],
    allowanceBytes: ALLOWANCE_BYTES,
  },
  ...[TRANSITIONS, BYTE_TRANSITIONS, ROLLOUT, CONTINUOUS_ROLLOUT].map((format, i) => ({
    name: `experience answer ${i + 1}`,
    decode: (bytes: Uint8Array) => decodeExperienceResponse(bytes, format),
    valid: [exampleOffer(format), encodeExperienceResponse({ kind: 'error', code: 'refused' }, format)],
    lengthsAt: [17, 25, 33],
    allowanceBytes: ALLOWANCE_BYTES,
  })),
  {
    name: 'multiplexer frames',
    decode: (bytes) => looked(bytes),
    valid: [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0)],
    lengthsAt: [8],
    allowanceBytes: ALLOWANCE_BYTES,
  },
]

/** Its refusals are plain errors: yamux ends the connection for any. */
function looked(bytes: Uint8Array): void {
  try {
    new FrameGuard({ now: () => 0 } as ConstructorParameters<typeof FrameGuard>[0]).look(bytes)
  } catch (error) {
    if (!(error instanceof Error && /^(a frame of|too many)/.test(error.message))) throw error
  }
}

const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/** Hostile inputs without end: noise, noise behind a true beginning, damaged messages, joined ones, and lies about lengths. */
export function* hostileInputs({ valid, lengthsAt }: Decoder, seed: number): Generator<Uint8Array> {
  const random = seededRandom('fuzz', seed)
  const below = (n: number) => random.uint32() % n
  const noise = (length: number) => Uint8Array.from({ length }, () => below(256))
  for (;;) {
    const sample = valid[below(valid.length)]!
    const kind = below(6)
    if (kind === 0) yield noise(below(300))
    else if (kind === 1) yield Buffer.concat([sample.subarray(0, below(sample.length + 1)), noise(below(100))])
    else if (kind === 2) yield sample.subarray(0, below(sample.length + 1))
    else if (kind === 3) {
      const other = valid[below(valid.length)]!
      yield Buffer.concat([sample.subarray(0, below(sample.length + 1)), other.subarray(below(other.length))])
    } else {
      const bytes = sample.slice()
      if (kind === 4) for (let i = 1 + below(4); i > 0; i--) bytes[below(bytes.length)] = below(256)
      else {
        const at = lengthsAt[below(lengthsAt.length)]!
        const [value, width] = [EDGES[below(EDGES.length)]!, [1, 2, 4, 8][below(4)]!]
        for (let i = 0; i < width && at + i < bytes.length; i++) bytes[at + i] = Math.floor(value / 256 ** (i % 4)) & 255
      }
      yield bytes
    }
  }
}
