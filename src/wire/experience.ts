/**
 * Messages of /grapevine/experience/1: what a peer experienced, for others to learn from. The receiver pulls: it names the last offer that it
 * has of this peer, and hears a newer one whole, at most MAX_EXPERIENCE_BYTES, or that there is none.
 *
 * What arrives is checked against the run's format before anything is allocated (the length must be exact) and then number by number: finite,
 * actions within the space, flags 0 or 1, log-probabilities at most 0 where actions are discrete, discounts in [0, 1], errors at least 0.
 * Whether rewards are plausible is the learner's to say.
 *
 * First byte: the kind; then fields, little-endian, in the order of the types below; arrays as float32, actions as uint32, observations of
 * `bytes` formats as bytes.
 */
import type {
  ExperienceFormat,
  RolloutFormat,
  SharedExperience,
  SharedRollout,
  SharedTransitions,
  TransitionFormat,
} from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { Reader, Writer } from './binary.ts'
import { readFloats, writeFloats } from './floats.ts'
import { RUN_PREFIX_BYTES } from './frame.ts'
import { MAX_EXPERIENCE_BYTES, MAX_EXPERIENCE_VALUE, MAX_REQUEST_BYTES } from './limits.ts'

/** Which offer of a peer: neither number is ever reused by it. */
export interface OfferNumber {
  readonly incarnation: number
  readonly sequence: number
}

/** A newer offer than `after` is asked for; zeros: any. */
export interface ExperienceRequest {
  readonly after: OfferNumber
}

/** refused: not for you, or too often; unknown_request: newer than the peer that was asked. */
export type ExperienceRefusal = 'refused' | 'unknown_request'

export type ExperienceResponse =
  | { readonly kind: 'experience'; readonly runPrefix: Uint8Array; readonly number: OfferNumber; readonly experience: SharedExperience }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'error'; readonly code: ExperienceRefusal }

const PULL = 1
const EXPERIENCE = 1
const NOTHING = 2
const ERROR = 255

const REFUSALS: readonly ExperienceRefusal[] = ['refused', 'unknown_request']

const REQUEST_BYTES = 1 + 16
/** Kind, run, number of the offer, count. */
const HEADER_BYTES = 1 + RUN_PREFIX_BYTES + 16 + 4

/** Bytes of an answer with so many transitions, or with a rollout of which so many steps were truncated. */
export function experienceBytes(format: ExperienceFormat, count: number): number {
  return HEADER_BYTES + (format.kind === 'transitions' ? count * transitionBytes(format) : rolloutBytes(format, count))
}

/** Transitions that fit into one answer. */
export function mostTransitions(format: TransitionFormat): number {
  return Math.floor((MAX_EXPERIENCE_BYTES - HEADER_BYTES) / transitionBytes(format))
}

function transitionBytes({ observationSize, bytes }: TransitionFormat): number {
  return 2 * observationSize * (bytes ? 1 : 4) + 4 * 4
}

function rolloutBytes({ steps, environments, observationSize, actionWidth }: RolloutFormat, finals: number): number {
  const rows = steps * environments
  return 4 * ((rows + environments + finals) * observationSize + rows * (actionWidth + 2)) + 2 * rows
}

export function encodeExperienceRequest({ after }: ExperienceRequest): Uint8Array {
  const writer = new Writer(REQUEST_BYTES)
  writer.u8(PULL)
  writer.u53(after.incarnation)
  writer.u53(after.sequence)
  return writer.bytes
}

/** Throws `unknown_request` for a kind of a later version, else `bad_message` (fault peer). */
export function decodeExperienceRequest(bytes: Uint8Array): ExperienceRequest {
  if (bytes.length > MAX_REQUEST_BYTES) throw badMessage(`a request of ${bytes.length} bytes is over the limit of ${MAX_REQUEST_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const kind = reader.u8()
  if (kind !== PULL) {
    throw new GrapevineError('unknown_request', 'peer', `A peer asked for something this version does not know (kind ${kind}).`)
  }
  const after = { incarnation: reader.u53(), sequence: reader.u53() }
  reader.end()
  return { after }
}

/** The answer's bytes. Throws `bad_value` (fault local) for what is over the limit. */
export function encodeExperienceResponse(response: ExperienceResponse, format: ExperienceFormat): Uint8Array {
  if (response.kind === 'nothing') return Uint8Array.of(NOTHING)
  if (response.kind === 'error') return Uint8Array.of(ERROR, REFUSALS.indexOf(response.code))
  const { runPrefix, number, experience } = response
  const { observationSize } = format
  const count = experience.kind === 'transitions' ? experience.actions.length : experience.finalObservations.length / observationSize
  const bytes = experienceBytes(format, count)
  if (bytes > MAX_EXPERIENCE_BYTES) {
    throw new GrapevineError('bad_value', 'local', `Experience of ${bytes} bytes is over the limit of ${MAX_EXPERIENCE_BYTES}.`)
  }
  const writer = new Writer(bytes)
  writer.u8(EXPERIENCE)
  writer.set(runPrefix)
  writer.u53(number.incarnation)
  writer.u53(number.sequence)
  writer.u32(count)
  if (experience.kind === 'transitions') writeTransitions(writer, experience, format.kind === 'transitions' && format.bytes)
  else writeRollout(writer, experience)
  return writer.bytes
}

function writeTransitions(writer: Writer, experience: SharedTransitions, bytes: boolean): void {
  for (const observations of [experience.observations, experience.nextObservations]) {
    if (bytes) writer.reserve(observations.length).set(observations)
    else writeVector(writer, observations)
  }
  writeActions(writer, experience.actions)
  for (const values of [experience.rewards, experience.discounts, experience.tdErrors]) writeVector(writer, values)
}

function writeRollout(writer: Writer, experience: SharedRollout): void {
  const { observations, lastObservations, finalObservations, actions, logProbs, rewards, terminated, truncated } = experience
  for (const values of [observations, lastObservations, finalObservations]) writeVector(writer, values)
  if (actions instanceof Int32Array) writeActions(writer, actions)
  else writeVector(writer, actions)
  writeVector(writer, logProbs)
  writeVector(writer, rewards)
  writer.set(terminated)
  writer.set(truncated)
}

function writeVector(writer: Writer, values: Float32Array): void {
  writeFloats(values, writer.reserve(values.byteLength))
}

function writeActions(writer: Writer, actions: Int32Array): void {
  for (const action of actions) writer.u32(action)
}

/** Throws `bad_message` (fault peer) for anything but a whole answer in this format. */
export function decodeExperienceResponse(bytes: Uint8Array, format: ExperienceFormat): ExperienceResponse {
  if (bytes.length > MAX_EXPERIENCE_BYTES)
    throw badMessage(`an answer of ${bytes.length} bytes is over the limit of ${MAX_EXPERIENCE_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const response = readResponse(reader, bytes.length, format)
  reader.end()
  return response
}

function readResponse(reader: Reader, length: number, format: ExperienceFormat): ExperienceResponse {
  const kind = reader.u8()
  if (kind === NOTHING) return { kind: 'nothing' }
  // A code of a later version: whatever it means, the answer is no.
  if (kind === ERROR) return { kind: 'error', code: REFUSALS[reader.u8()] ?? 'refused' }
  if (kind !== EXPERIENCE) throw badMessage(`an answer of kind ${kind} is not known here`)
  const runPrefix = reader.bytes(RUN_PREFIX_BYTES).slice()
  const number = { incarnation: reader.u53(), sequence: reader.u53() }
  const count = reader.u32()
  if (length !== experienceBytes(format, count)) throw badMessage(`it has ${length} bytes where ${experienceBytes(format, count)} belong`)
  if (format.kind === 'rollout') return { kind: 'experience', runPrefix, number, experience: readRollout(reader, format, count) }
  if (count === 0) throw badMessage('it brings no transition')
  return { kind: 'experience', runPrefix, number, experience: readTransitions(reader, format, count) }
}

function readTransitions(reader: Reader, { observationSize, bytes, actions: choices }: TransitionFormat, count: number): SharedTransitions {
  const read = () => (bytes ? Float32Array.from(reader.bytes(count * observationSize)) : readObservations(reader, count * observationSize))
  return {
    kind: 'transitions',
    observations: read(),
    nextObservations: read(),
    actions: readActions(reader, count, choices),
    rewards: readVector(reader, count, 'a reward', Number.isFinite),
    discounts: readVector(reader, count, 'a discount', (value) => value >= 0 && value <= 1),
    tdErrors: readVector(reader, count, 'an error', (value) => value >= 0 && Number.isFinite(value)),
  }
}

function readRollout(reader: Reader, format: RolloutFormat, finals: number): SharedRollout {
  const { steps, environments, observationSize, actions: choices, actionWidth } = format
  const rows = steps * environments
  const experience: SharedRollout = {
    kind: 'rollout',
    observations: readObservations(reader, rows * observationSize),
    lastObservations: readObservations(reader, environments * observationSize),
    finalObservations: readObservations(reader, finals * observationSize),
    actions: choices === null ? readVector(reader, rows * actionWidth, 'an action', isOrdinary) : readActions(reader, rows, choices),
    // Densities of continuous actions may pass 1.
    logProbs: readVector(reader, rows, 'a log-probability', (value) => Number.isFinite(value) && (choices === null || value <= 0)),
    rewards: readVector(reader, rows, 'a reward', Number.isFinite),
    terminated: readFlags(reader, rows),
    truncated: readFlags(reader, rows),
  }
  let truncated = 0
  for (const flag of experience.truncated) truncated += flag
  if (truncated !== finals) throw badMessage(`${truncated} of its steps are truncated and it brings ${finals} final observations`)
  return experience
}

function isOrdinary(value: number): boolean {
  return value >= -MAX_EXPERIENCE_VALUE && value <= MAX_EXPERIENCE_VALUE
}

function readObservations(reader: Reader, length: number): Float32Array {
  return readVector(reader, length, 'an observation', isOrdinary)
}

function readVector(reader: Reader, length: number, what: string, fits: (value: number) => boolean): Float32Array {
  const bytes = reader.bytes(4 * length)
  const values = new Float32Array(length)
  readFloats(bytes, values)
  for (let i = 0; i < length; i++) if (!fits(values[i]!)) throw badMessage(`${what} is ${values[i]}`)
  return values
}

function readActions(reader: Reader, length: number, choices: number): Int32Array {
  if (4 * length > reader.remaining) throw badMessage('it ends within its actions')
  const actions = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    const action = reader.u32()
    if (action >= choices) throw badMessage(`an action is ${action} where there are ${choices}`)
    actions[i] = action
  }
  return actions
}

function readFlags(reader: Reader, length: number): Uint8Array {
  const flags = reader.bytes(length).slice()
  for (const flag of flags) if (flag > 1) throw badMessage(`a flag is ${flag}`)
  return flags
}

function badMessage(problem: string): GrapevineError {
  return new GrapevineError('bad_message', 'peer', `A message about experience was refused: ${problem}.`)
}
