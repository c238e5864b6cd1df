import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../src/util/sha256.ts'
import { decodeInvitation, encodeInvitation, type Invitation, looksLikeInvitation } from '../../src/wire/invitation.ts'
import { INVITATION_CHECK_BYTES, MAX_INVITATION_ADDRESSES, MAX_INVITATION_CHARACTERS } from '../../src/wire/limits.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { refusal } from '../support/refusal.ts'

const [anna, bob] = [examplePeerId(1), examplePeerId(2)]
const invitation: Invitation = {
  run: 'ab'.repeat(32),
  addresses: [
    `/ip4/192.168.1.5/tcp/4001/p2p/${anna}`,
    `/ip6/2001:db8::1/tcp/4001/p2p/${anna}`,
    `/dns4/example.org/tcp/65535/p2p/${bob}`,
    '/ip4/10.0.0.1/tcp/1',
  ],
  swarmKey: null,
}

test('what is invited to comes out again, with and without a key', () => {
  assert.deepEqual(decodeInvitation(encodeInvitation(invitation)), invitation)
  const withKey = { ...invitation, swarmKey: Uint8Array.from({ length: 32 }, (_, i) => i) }
  assert.deepEqual(decodeInvitation(encodeInvitation(withKey)), withKey)
})

test('the usual invitation, one peer with one address, is one word of 117 characters', () => {
  const word = encodeInvitation({ ...invitation, addresses: invitation.addresses.slice(0, 1) })
  assert.match(word, /^grapevine:[A-Za-z0-9_-]{107}$/)
})

test('white space and the case of the prefix, as chats change them, do not matter', () => {
  const word = encodeInvitation(invitation)
  assert.deepEqual(decodeInvitation(` Grapevine:${word.slice(10, 60)}\n  ${word.slice(60)} `), invitation)
})

test('addresses beyond the limit are left out', () => {
  const addresses = Array.from({ length: MAX_INVITATION_ADDRESSES + 1 }, (_, i) => `/ip4/10.0.0.${i}/tcp/4001/p2p/${examplePeerId(i + 1)}`)
  const word = encodeInvitation({ ...invitation, addresses })
  assert.deepEqual(decodeInvitation(word).addresses, addresses.slice(0, MAX_INVITATION_ADDRESSES))
  const longest = addresses.map(
    (_, i) => `/dns4/${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(50)}/tcp/65535/p2p/${examplePeerId(i + 1)}`,
  )
  assert.ok(encodeInvitation({ ...invitation, addresses: longest }).length <= MAX_INVITATION_CHARACTERS)
})

test('every single character lost, changed or added is noticed and told in one sentence', () => {
  const word = encodeInvitation(invitation)
  for (let i = 0; i < word.length; i++) {
    const changed = word[i] === 'Z' ? 'Y' : 'Z'
    for (const mangled of [word.slice(0, i) + word.slice(i + 1), word.slice(0, i) + changed + word.slice(i + 1), word.slice(0, i)]) {
      const { code, fault, message } = refusal(() => decodeInvitation(mangled))
      assert.deepEqual([code, fault], ['bad_invitation', 'local'], mangled)
      assert.match(message, /^This invitation (was made|is mangled: [^\n]+; copy the whole word again, from "grapevine:" to its end\.$)/)
    }
  }
})

test('any text is an invitation or a typed refusal', () => {
  const word = encodeInvitation(invitation)
  const texts = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => `grapevine:${Buffer.from(bytes).toString('base64url')}`),
    fc.integer({ min: 1, max: word.length }).map((at) => `${word.slice(0, at)}${word}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      assert.equal(refusal(() => decodeInvitation(text)).code, 'bad_invitation')
    }),
    { numRuns: 1_000, seed: 7 },
  )
})

test('one from a later version says so', () => {
  const bytes = Buffer.from(encodeInvitation(invitation).slice('grapevine:'.length), 'base64url')
  bytes[0] = 2
  assert.equal(
    refusal(() => decodeInvitation(`grapevine:${bytes.toString('base64url')}`)).message,
    'This invitation was made by a newer version of Grapevine; install that version, or ask for the address of a peer instead.',
  )
})

test('what was meant as an invitation is told from addresses', () => {
  const word = encodeInvitation(invitation)
  for (const meant of [word, word.slice(3), word.slice(10), word.slice(0, 30)]) assert.ok(looksLikeInvitation(meant), meant)
  for (const other of ['example.org:4001', `/ip4/1.2.3.4/tcp/1/p2p/${anna}`, '[::1]:4001', 'grapevine.example.org:4001']) {
    assert.ok(!looksLikeInvitation(other), other)
  }
})

test('what is mangled is named, and so is an address that nobody could dial', () => {
  const word = encodeInvitation(invitation)
  const sealed = (...content: readonly number[]) => {
    const bytes = Uint8Array.from(content)
    return `grapevine:${Buffer.concat([bytes, sha256(bytes).subarray(0, INVITATION_CHECK_BYTES)]).toString('base64url')}`
  }
  const run = new Array<number>(32).fill(0)
  const cases: [string, string][] = [
    [
      'x'.repeat(MAX_INVITATION_CHARACTERS + 1),
      `it has ${MAX_INVITATION_CHARACTERS + 1} characters, and the longest has ${MAX_INVITATION_CHARACTERS}`,
    ],
    [word.slice(3), 'its beginning, "grapevine:", is missing'],
    ['grapevine:', 'nothing follows its beginning'],
    [`${word}!`, 'it has characters that do not belong there'],
    [word.slice(0, -1), 'some of its characters are lost or changed'],
    [sealed(0), 'it has no version'],
    [sealed(1, 2), 'it has unknown flags'],
    [sealed(1, 0, ...run, 0, 0), 'it names no address'],
    [sealed(1, 0, ...run, MAX_INVITATION_ADDRESSES + 1), `it names more than ${MAX_INVITATION_ADDRESSES} addresses`],
    [sealed(1, 0, ...run, 0, 1, 1, 1), 'an address is of a peer that it does not name'],
    [sealed(1, 0, ...run, 0, 1, 0, 9), 'it has an address of an unknown kind'],
    [sealed(1, 0, ...run, 0, 1, 0, 1, 10, 0, 0, 1, 0, 0), 'it has an address that cannot be dialled'],
  ]
  for (const [text, problem] of cases) {
    const { message } = refusal(() => decodeInvitation(text))
    assert.equal(message, `This invitation is mangled: ${problem}; copy the whole word again, from "grapevine:" to its end.`)
  }
  assert.throws(() => encodeInvitation({ ...invitation, addresses: ['10.0.0.1'] }), {
    code: 'bad_address',
    message: '10.0.0.1 cannot be put into an invitation: it names no port; write 10.0.0.1:PORT.',
  })
})
