import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeExperienceRequest,
  decodeExperienceResponse,
  encodeExperienceRequest,
  encodeExperienceResponse,
  experienceBytes,
  mostTransitions,
} from '../../src/wire/experience.ts'
import { MAX_EXPERIENCE_BYTES } from '../../src/wire/limits.ts'
import { BYTE_TRANSITIONS, CONTINUOUS_ROLLOUT, exampleExperience, exampleOffer, ROLLOUT, TRANSITIONS } from '../support/experience.ts'
import { accepts, refusal } from '../support/refusal.ts'

const FORMATS = [TRANSITIONS, BYTE_TRANSITIONS, ROLLOUT, CONTINUOUS_ROLLOUT]

test('what was written is read, and takes the bytes it should', () => {
  // Header 37. Two transitions: 2 x 2 observations, action, reward, discount, error. A rollout: 8 + 4 + 2 numbers of observations, 4 rows.
  const sizes = [37 + 2 * (16 + 16), 37 + 2 * (4 + 16), 37 + 56 + 4 * 12 + 8, 37 + 56 + 4 * 16 + 8]
  for (const [i, format] of FORMATS.entries()) {
    const bytes = exampleOffer(format)
    assert.equal(bytes.length, sizes[i])
    const answer = decodeExperienceResponse(bytes, format)
    assert.ok(answer.kind === 'experience')
    assert.deepEqual(answer.experience, exampleExperience(format))
    assert.deepEqual(answer.number, { incarnation: 7, sequence: 8 })
    assert.equal(answer.runPrefix.length, 16)
  }
  assert.deepEqual(decodeExperienceResponse(encodeExperienceResponse({ kind: 'nothing' }, ROLLOUT), ROLLOUT), { kind: 'nothing' })
  for (const code of ['refused', 'unknown_request'] as const) {
    assert.deepEqual(decodeExperienceResponse(encodeExperienceResponse({ kind: 'error', code }, ROLLOUT), ROLLOUT), { kind: 'error', code })
  }
  const request = { after: { incarnation: 3, sequence: 4 } }
  assert.deepEqual(decodeExperienceRequest(encodeExperienceRequest(request)), request)
})

test('every truncation and everything behind the end is refused', () => {
  for (const format of FORMATS) {
    const bytes = exampleOffer(format)
    for (let length = 0; length < bytes.length; length++)
      assert.ok(!accepts((cut) => decodeExperienceResponse(cut, format), bytes.subarray(0, length)))
    assert.ok(!accepts((more) => decodeExperienceResponse(more, format), Uint8Array.of(...bytes, 0)))
  }
  const bytes = encodeExperienceRequest({ after: { incarnation: 3, sequence: 4 } })
  for (let length = 0; length < bytes.length; length++) assert.ok(!accepts(decodeExperienceRequest, bytes.subarray(0, length)))
})

test('numbers that cannot be are refused, each by its name', () => {
  const wrong = (format: typeof TRANSITIONS | typeof ROLLOUT, field: string, value: number) => {
    const experience = exampleExperience(format)
    const array = Reflect.get(experience, field) as Float32Array
    array[0] = value
    return refusal(() => decodeExperienceResponse(exampleOffer(format, experience), format)).message
  }
  const cases: readonly (readonly [typeof TRANSITIONS | typeof ROLLOUT, string, readonly number[], RegExp])[] = [
    [TRANSITIONS, 'observations', [Number.NaN, Number.POSITIVE_INFINITY, 1.5e6], /an observation is/],
    [TRANSITIONS, 'nextObservations', [Number.NaN, -1.5e6], /an observation is/],
    [TRANSITIONS, 'actions', [3, -1], /an action is \d+ where there are 3/],
    [TRANSITIONS, 'rewards', [Number.NaN, Number.NEGATIVE_INFINITY], /a reward is/],
    [TRANSITIONS, 'discounts', [Number.NaN, -0.1, 1.1], /a discount is/],
    [TRANSITIONS, 'tdErrors', [Number.NaN, Number.POSITIVE_INFINITY, -1], /an error is/],
    [ROLLOUT, 'lastObservations', [Number.NaN], /an observation is/],
    [ROLLOUT, 'finalObservations', [Number.NaN], /an observation is/],
    [ROLLOUT, 'actions', [3], /an action is 3/],
    [ROLLOUT, 'logProbs', [0.1, Number.NaN, Number.NEGATIVE_INFINITY], /a log-probability is/],
    [ROLLOUT, 'rewards', [Number.NaN], /a reward is/],
    [ROLLOUT, 'terminated', [2], /a flag is 2/],
    [ROLLOUT, 'truncated', [255, 1], /a flag is 255|2 of its steps are truncated and it brings 1 final/],
  ]
  for (const [format, field, values, message] of cases)
    for (const value of values) assert.match(wrong(format, field, value), message, field)
  const dense = exampleExperience(CONTINUOUS_ROLLOUT)
  ;(dense as { logProbs: Float32Array }).logProbs[0] = 2
  assert.ok(accepts((bytes) => decodeExperienceResponse(bytes, CONTINUOUS_ROLLOUT), exampleOffer(CONTINUOUS_ROLLOUT, dense)))
  ;(dense as { actions: Float32Array }).actions[0] = 2e6
  assert.ok(!accepts((bytes) => decodeExperienceResponse(bytes, CONTINUOUS_ROLLOUT), exampleOffer(CONTINUOUS_ROLLOUT, dense)))
})

test('an empty offer, one in another format, and one that lies about its count are refused', () => {
  const none = exampleOffer(TRANSITIONS).slice(0, 37)
  none.fill(0, 33, 37)
  assert.match(refusal(() => decodeExperienceResponse(none, TRANSITIONS)).message, /brings no transition/)
  assert.ok(!accepts((bytes) => decodeExperienceResponse(bytes, BYTE_TRANSITIONS), exampleOffer(TRANSITIONS)))
  const lying = exampleOffer(TRANSITIONS)
  lying.fill(255, 33, 37)
  assert.match(refusal(() => decodeExperienceResponse(lying, TRANSITIONS)).message, /has 101 bytes where \d+ belong/)
})

test('no answer is over the limit', () => {
  const format = { ...TRANSITIONS, observationSize: 400 }
  const most = mostTransitions(format)
  assert.equal(most, Math.floor((262_144 - 37) / (2 * 1_600 + 16)))
  assert.ok(experienceBytes(format, most) <= MAX_EXPERIENCE_BYTES && experienceBytes(format, most + 1) > MAX_EXPERIENCE_BYTES)
  const one = { observationSize: 40_000, kind: 'transitions', bytes: false, actions: 3 } as const
  const observations = new Float32Array(40_000)
  const values = { rewards: new Float32Array(1), discounts: new Float32Array(1), tdErrors: new Float32Array(1), actions: new Int32Array(1) }
  const experience = { kind: 'transitions', observations, nextObservations: observations, ...values } as const
  assert.throws(() => exampleOffer(one, experience), { code: 'bad_value' })
  assert.match(refusal(() => decodeExperienceResponse(new Uint8Array(MAX_EXPERIENCE_BYTES + 1), one)).message, /over the limit/)
})
