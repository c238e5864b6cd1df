/** What is said of other machines' bytes, whole: each kind of message names itself and its fault. The faults one by one are tested where each is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBeacon } from '../../src/wire/beacon.ts'
import { decodeExchangeRequest, decodeExchangeResponse } from '../../src/wire/exchange.ts'
import { decodeExperienceRequest } from '../../src/wire/experience.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { decodeReplica } from '../../src/wire/replica.ts'
import { decodeStateRequest, decodeStateResponse } from '../../src/wire/state.ts'
import { refusal } from '../support/refusal.ts'

const nothing = new Uint8Array(0)
const unknown = Uint8Array.of(255)

test('every message that is refused is named in one sentence', () => {
  const cases: [() => unknown, string][] = [
    [() => decodeBeacon(nothing), 'A beacon was refused: it ends 1 bytes too early.'],
    [() => decodeFrame(nothing), 'A parameter frame was refused: it ends 1 bytes too early.'],
    [() => decodeReplica(nothing, 1), 'A snapshot was refused: it ends 1 bytes too early.'],
    [() => decodeStateRequest(nothing), "A message about the run's state was refused: it ends 1 bytes too early."],
    [() => decodeStateResponse(nothing), "A message about the run's state was refused: it ends 1 bytes too early."],
    [() => decodeExchangeRequest(nothing), 'A message about an exchange was refused: it ends 1 bytes too early.'],
    [() => decodeExchangeResponse(nothing), 'A message about an exchange was refused: it ends 1 bytes too early.'],
    [() => decodeExperienceRequest(nothing), 'A message about experience was refused: it ends 1 bytes too early.'],
  ]
  for (const decode of [decodeStateRequest, decodeExchangeRequest, decodeExperienceRequest]) {
    cases.push([() => decode(unknown), 'A peer asked for something this version does not know (kind 255).'])
  }
  for (const [decode, sentence] of cases) assert.equal(refusal(decode).message, sentence)
})
