/** What a joiner is told of a peer that sends other bytes than it should. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { downloadBody, downloadManifest, requestOffer } from '../../src/peer/download.ts'
import type { Network } from '../../src/ports/network.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { sha256 } from '../../src/util/sha256.ts'
import { bodyDigest, encodeStateResponse, type Offer, type StateResponse } from '../../src/wire/state.ts'

const forever = new AbortController().signal

/** A network whose peers give these answers, one after the other. */
function answering(...answers: readonly StateResponse[]) {
  const left = answers.map(encodeStateResponse)
  const network = { request: async () => left.shift() } as unknown as Network
  return { network, clock: new VirtualClock() }
}

const chunks = [sha256(Uint8Array.of(1, 2, 3, 4))]
const offer: Offer = {
  body: bodyDigest(4, chunks),
  bodyBytes: 4,
  chunks,
  parameterDigest: new Uint8Array(32),
  version: 1,
  steps: 1,
  epoch: 0,
  sequence: 1,
}

test('a refusal, an offer over the size of the model, and bytes of another digest', async () => {
  await assert.rejects(downloadManifest(answering({ kind: 'error', code: 'refused' }), 'p', forever), {
    code: 'refused',
    message: 'Peer p refused to send its state (refused).',
  })
  await assert.rejects(requestOffer(answering({ kind: 'offer', offer }), 'p', 3, forever), {
    code: 'too_large',
    message: 'Peer p offers a snapshot of 4 bytes where the model needs at most 3.',
  })
  await assert.rejects(downloadBody(answering({ kind: 'range', bytes: Uint8Array.of(1, 2, 3, 5) }), 'p', offer, forever), {
    code: 'bad_digest',
    message: 'Peer p sent bytes of its snapshot that do not match their digest.',
  })
  await assert.rejects(downloadBody(answering({ kind: 'done' }), 'p', offer, forever), {
    code: 'bad_message',
    message: 'Peer p answered with something else than it was asked for.',
  })
})
