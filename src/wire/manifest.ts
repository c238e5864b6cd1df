/**
 * The manifest: what every peer of a run must agree on. Deterministic CBOR, at most 64 KiB and 8 levels deep; its SHA-256 is the run id.
 * It carries ids and digests, never paths or code.
 */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { HyperValue, MomentsPolicy, NetworkSpec } from '../ports/learner.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Fault } from '../util/errors.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { sha256Hex } from '../util/sha256.ts'
import { faultOfCbor } from './cbor-scan.ts'
import { MAX_MANIFEST_BYTES, MAX_MANIFEST_DEPTH, MAX_MANIFEST_TEXT } from './limits.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

export interface Manifest {
  /** [major, minor]; equal majors join. */
  readonly protocol: readonly [number, number]
  readonly name: string
  readonly environment: { readonly id: string; readonly version: string; readonly options: Readonly<Record<string, unknown>> }
  readonly wrappers: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly algorithm: { readonly id: string; readonly hyperparameters: Readonly<Record<string, HyperValue>>; readonly horizonSteps: number }
  readonly network: NetworkSpec
  readonly averaging: {
    readonly strategy: string
    /** Updates between rounds. */
    readonly period: number
    /** Relative consensus distance that peers keep by changing their periods; when absent the period stays. */
    readonly periodTarget?: number | undefined
    readonly codec: string
    readonly partner: string
    readonly robust: string
    /** How the learning rate rises with the number of peers; when absent it does not. */
    readonly rate?: { readonly rule: 'sqrt'; readonly from: number; readonly cap: number } | undefined
    /** What a mix does to the optimiser's moments; when absent: nothing. */
    readonly moments?: MomentsPolicy | undefined
    /** Nesterov momentum on what happens between mixes; when absent: none. */
    readonly outer?: { readonly learningRate: number; readonly momentum: number } | undefined
  }
  /** Share of what a learner learns from that may be others' experience; when absent: none is shared. */
  readonly experience?: { readonly share: number } | undefined
  readonly seed: number
  /** SHA-256 (hex) of the initial parameters in canonical order, little-endian float32. */
  readonly initialDigest: string
  /** 16 random bytes, hex: two runs with the same settings differ. */
  readonly nonce: string
}

/** Printed on terminals: no control or direction-changing characters, no broken surrogates. */
const text = z
  .string()
  .max(MAX_MANIFEST_TEXT)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'has control characters')
const id = text.min(1)
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `is not ${bytes} bytes in lower-case hex`)
const count = z.int().positive()

const wellFormed = z.string().refine((value) => value.isWellFormed(), 'has broken surrogates')
const key = wellFormed.refine((value) => value !== '__proto__', 'is a reserved key')
const hyperValue = z.union([z.number(), wellFormed, z.boolean(), z.null()])
type Option = z.infer<typeof hyperValue> | readonly Option[] | { readonly [key: string]: Option }
const option: z.ZodType<Option> = z.lazy(() => z.union([hyperValue, z.array(option), z.record(key, option)]))
const configured = z.strictObject({ id, options: z.record(key, option) })

/** TensorFlow.js has tensors of at most six axes. */
const MAX_WEIGHT_AXES = 6

const activation = z.enum(['tanh', 'relu', 'silu', 'linear'])
const layer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dense'), units: count, activation }),
  z.strictObject({ kind: z.literal('conv'), filters: count, kernel: count, stride: count, activation }),
  z.strictObject({ kind: z.literal('layerNorm') }),
])

const schema: z.ZodType<Manifest> = z.strictObject({
  protocol: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  name: text,
  environment: configured.extend({ version: id }),
  wrappers: z.array(configured),
  algorithm: z.strictObject({ id, hyperparameters: z.record(key, hyperValue), horizonSteps: count }),
  network: z.strictObject({
    input: z.array(count).min(1).max(4),
    torso: z.array(layer),
    heads: z.array(z.strictObject({ name: id, layers: z.array(layer), size: count, gain: z.number() })).min(1),
    vectors: z.array(z.strictObject({ name: id, size: count, initial: z.number() })),
    own: z
      .strictObject({
        id,
        digest: hex(32),
        weights: z.array(z.strictObject({ name: id, shape: z.array(count).max(MAX_WEIGHT_AXES) })).min(1),
      })
      .exactOptional(),
  }),
  averaging: z.strictObject({
    strategy: id,
    period: count,
    periodTarget: z.number().positive().exactOptional(),
    codec: id,
    partner: id,
    robust: id,
    rate: z.strictObject({ rule: z.literal('sqrt'), from: z.number().min(1), cap: z.number().min(1).max(64) }).exactOptional(),
    moments: z.enum(['reset', 'averaged']).exactOptional(),
    outer: z.strictObject({ learningRate: z.number().positive().max(2), momentum: z.number().min(0).lt(1) }).exactOptional(),
  }),
  experience: z.strictObject({ share: z.number().positive().max(1) }).exactOptional(),
  seed: z.int().nonnegative(),
  initialDigest: hex(32),
  nonce: hex(16),
})

/** Deterministic CBOR of `manifest`: shortest numbers, keys sorted. Throws `bad_manifest` (fault local) when a field is not usable. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = encode(checked(manifest, 'local'))
  const fault = faultOfBytes(bytes)
  if (fault !== null) throw badManifest('local', '', fault)
  return bytes
}

/**
 * Throws `protocol_version` when the major differs from ours, `bad_manifest` naming the field otherwise (fault peer). Fields that this
 * version does not know are refused, and so is any encoding but the one that `encodeManifest` makes: one manifest has one run id.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const fault = faultOfBytes(bytes)
  if (fault !== null) throw badManifest('peer', '', fault)
  const value = decodeStrictly(bytes)
  checkMajor(value)
  const manifest = checked(value, 'peer')
  if (!equalBytes(encode(manifest), bytes)) throw badManifest('peer', '', 'is not in canonical form')
  return manifest
}

/** SHA-256 of the encoded manifest, in hex. */
export function runId(bytes: Uint8Array): string {
  return sha256Hex(bytes)
}

function faultOfBytes(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_MANIFEST_BYTES) return `is ${bytes.length} bytes long, over the limit of ${MAX_MANIFEST_BYTES}`
  return faultOfCbor(bytes, MAX_MANIFEST_DEPTH)
}

function decodeStrictly(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, {
      strict: true,
      rejectDuplicateMapKeys: true,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
    })
  } catch (error) {
    throw badManifest('peer', '', `is not valid CBOR (${messageOf(error)})`)
  }
}

/** Before the fields: another major may have other ones, and its version is what the user has to hear of. */
function checkMajor(value: unknown): void {
  const version = z.object({ protocol: z.tuple([z.int(), z.int()]) }).safeParse(value)
  if (!version.success) return
  const [major, minor] = version.data.protocol
  if (major === PROTOCOL_VERSION[0]) return
  const ours = PROTOCOL_VERSION.join('.')
  const message = `This run speaks protocol ${major}.${minor} there, ${ours} here: install the version of Grapevine that the swarm runs.`
  throw new GrapevineError('protocol_version', 'peer', message, { theirs: `${major}.${minor}`, ours })
}

function checked(value: unknown, fault: Fault): Manifest {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path
  const problem = issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message
  throw badManifest(fault, path.map(String).join('.'), problem)
}

function badManifest(fault: Fault, field: string, problem: string): GrapevineError {
  const subject = field === '' ? 'The manifest' : `The manifest's field ${printable(field)}`
  const advice = fault === 'local' ? 'change that setting' : 'ask its founder which version of Grapevine the run needs'
  return new GrapevineError('bad_manifest', fault, `${subject} cannot be used: ${printable(problem)}; ${advice}.`, { field })
}

/** Field names come from strangers and go to terminals. */
function printable(value: string): string {
  return value.replace(/[\p{C}\p{Z}]/gu, ' ').slice(0, MAX_MANIFEST_TEXT)
}
