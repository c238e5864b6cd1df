import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkCompatible } from '../../src/peer/compatible.ts'
import { planRun } from '../../src/peer/found.ts'
import { type PeerSettings, resolveSettings } from '../../src/peer/settings.ts'
import { seededRandom } from '../../src/util/random.ts'
import type { Manifest } from '../../src/wire/manifest.ts'
import { examplePeerId } from '../support/peer-ids.ts'

const settings = resolveSettings({ command: 'start', addresses: [], flags: {}, file: null, randomSeed: 1 })
assert.ok('found' in settings.run)
const manifest: Manifest = { ...planRun(settings.run.found, seededRandom(1), examplePeerId(1)), initialDigest: '0'.repeat(64) }
const GIB = 2 ** 30

function refusal(
  changes: Partial<Manifest>,
  memory = GIB,
  allowPython = false,
  own: Partial<PeerSettings> = {},
): { message: string; field: unknown } {
  try {
    checkCompatible({ ...manifest, ...changes }, { ...settings, maxMemoryBytes: memory, allowPython, ...own })
  } catch (error) {
    const { code, message, data } = error as { code: string; message: string; data: { field: unknown } }
    assert.equal(code, 'cannot_join')
    return { message, field: data.field }
  }
  return assert.fail('it was accepted')
}

describe('can this peer run that manifest?', () => {
  test('its own: yes', () => {
    assert.equal(checkCompatible(manifest, { ...settings, maxMemoryBytes: GIB }).id, 'CartPole-v1')
  })

  test('the field that cannot be satisfied is named in one sentence', () => {
    const { environment, algorithm, network, averaging } = manifest
    assert.deepEqual(refusal({ environment: { ...environment, id: 'Foo-v0' } }), {
      message: 'Cannot take part in this run: environment Foo-v0 is not registered here (one of your own needs --env MODULE).',
      field: 'environment',
    })
    assert.match(
      refusal({ environment: { ...environment, version: '99' } }).message,
      /environment CartPole-v1 is version 99 there and \S+ here/,
    )
    assert.match(refusal({ algorithm: { ...algorithm, id: 'dreamer' } }).message, /algorithm dreamer is not known here/)
    assert.match(refusal({ algorithm: { ...algorithm, hyperparameters: { gamma: 7 } } }).message, /gamma/)
    assert.match(refusal({ wrappers: [{ id: 'telescope', options: {} }] }).message, /wrapper telescope is not known here/)
    const stacked = [{ id: 'frameStack', options: { frames: 4 } }]
    assert.match(refusal({ wrappers: stacked }).message, /network \S+ is 4x64 there and 16x64 here/)
    assert.match(refusal({ averaging: { ...averaging, strategy: 'telepathy' } }).message, /strategy telepathy is not known here/)
    assert.match(refusal({ averaging: { ...averaging, codec: 'f64' } }).message, /codec f64 is not known here/)
    assert.match(
      refusal({ experience: { share: 0.1 } }).message,
      /its experience cannot be shared here: .* apex and impala only; \S+ learns/,
    )
    assert.match(refusal({ experience: { share: 0.5 } }).message, /a share of 0.5 of others' experience is over 0.2/)
    const heads = network.heads.map((head) => (head.name === 'logits' ? { ...head, size: 4 } : head))
    assert.match(refusal({ network: { ...network, heads } }).message, /network logits is 64x4 there and 64x2 here/)
    const gym = { ...environment, id: 'gym:CartPole-v1' }
    assert.equal(
      refusal({ environment: gym }).message,
      'Cannot take part in this run: environment gym:CartPole-v1 runs in Python, which a run of others may start here only with --allow-python.',
    )
    assert.match(
      refusal({ environment: { ...gym, options: { python: '/tmp/evil' } } }, GIB, true).message,
      /option "python" of gym:CartPole-v1 is each machine's own/,
    )
    assert.match(refusal({ environment: { ...gym, id: 'gym:os:Evil-v1' } }, GIB, true).message, /gym:os:Evil-v1 is not registered here/)
    const own = { id: 'net', digest: 'ab'.repeat(32), weights: [{ name: 'logits/kernel', shape: [4, 2] }] }
    const theirs = { ...network, torso: [], heads: network.heads.map((head) => ({ ...head, layers: [] })), own }
    const wide = { ...theirs, heads: [{ ...theirs.heads[0]!, size: 1_000_000 }, theirs.heads[1]!] }
    const before = 'Cannot take part in this run: its network is'
    assert.equal(
      refusal({ network: theirs }).message,
      `${before} a model of module net (digest abababababab), which is missing here; name its file with --network.`,
    )
    const given = (version: string, engine: 'tfjs' | 'wasm' = 'tfjs') => ({ networkModule: { file: '/net.ts', version }, engine })
    assert.equal(
      refusal({ network: theirs }, GIB, false, given('cd'.repeat(32))).message,
      `${before} a model of module net (digest abababababab) there, and the file of --network differs here (digest cdcdcdcdcdcd).`,
    )
    assert.equal(
      refusal({ network: theirs }, GIB, false, given(own.digest, 'wasm')).message,
      `${before} a model of module net (digest abababababab), which needs --engine tfjs.`,
    )
    assert.match(
      refusal({ network: wide }, GIB, false, given(own.digest)).message,
      /: network output logits is 1000000 there and 2 here\.$/,
    )
    assert.equal(
      refusal({}, GIB, false, given(own.digest)).message,
      `${before} one of Grapevine's own layers there and the module of --network here; leave --network out.`,
    )
    assert.match(refusal({}, 1_000).message, /parameters need about .* --max-memory allows/)
  })
})
