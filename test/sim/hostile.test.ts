import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecNamed } from '../../src/average/codecs.ts'
import { sumOfSquares } from '../../src/average/distance.ts'
import { judgeFrame } from '../../src/peer/gate.ts'
import type { Learner } from '../../src/ports/learner.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { type Attack, honestMoments, type Knowledge } from '../../src/sim/hostile/attack.ts'
import { ATTACK_KINDS, attackOf, hostileLearner, hostileNetwork } from '../../src/sim/hostile/kinds.ts'
import { memoryNetwork } from '../../src/sim/network.ts'
import { seededRandom } from '../../src/util/random.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { examplePeerId } from '../support/peer-ids.ts'

const replicas = [Float32Array.of(1, 2, 3, 4), Float32Array.of(3, 2, 1, 4)]
const own = Float32Array.of(1, 1, 1, 1)
const codec = codecNamed('f32')
const author = examplePeerId(1)

function knowledge(): Knowledge {
  return { index: 0, attackers: 1, honest: () => replicas, random: seededRandom('hostile') }
}

function attack(kind: string): Attack {
  const found = attackOf(kind)
  assert.ok(found !== undefined)
  return found
}

function frame(parameters: Float32Array, sequence: number): Uint8Array {
  const payload = new Uint8Array(codec.bytesFor(parameters.length))
  codec.encode(parameters, payload)
  const normalisers = [{ count: 5, mean: Float64Array.of(1), m2: Float64Array.of(2) }]
  const header = { runPrefix: new Uint8Array(16), author, incarnation: 1, sequence, version: 1, epoch: 1, codec: codec.id }
  return encodeFrame({ ...header, count: parameters.length, payload, normalisers })
}

/** What the gate says of what the attacker sends in one round; `last`: the sequence that it accepted last. */
function verdicts({ lie, forge }: Attack, sequence = 2, last = 1): string[] {
  const sent = frame(lie?.(own, knowledge()) ?? own, sequence)
  let accepted = last
  return (forge?.(sent, knowledge()) ?? [sent]).map((bytes) => {
    const result = judgeFrame(author, bytes, {
      runPrefix: new Uint8Array(16),
      codec,
      parameterCount: 4,
      normaliserSizes: [1],
      last: { incarnation: 1, sequence: accepted },
      ownNorm: Math.sqrt(sumOfSquares(own)),
    })
    if (!result.ok) return result.code
    accepted = result.frame.sequence
    return 'accepted'
  })
}

describe('attacks', () => {
  test('honest moments by hand', () => {
    const { mean, deviation } = honestMoments(knowledge())
    assert.deepEqual([...mean], [2, 2, 2, 4])
    assert.deepEqual([...deviation], [1, 0, 1, 0])
  })

  test('the gate stops what cannot be honest and lets through what could be', () => {
    assert.deepEqual(verdicts(attack('nan')), ['not_finite'])
    assert.deepEqual(verdicts(attack('huge')), ['too_far'])
    for (const kind of ['sign-flip', 'alie', 'inner-product', 'dissensus', 'weight-inflation', 'sybil'])
      assert.deepEqual(verdicts(attack(kind)), ['accepted'])
    assert.deepEqual(verdicts(attack('equivocation')), ['accepted', 'stale_version'])
  })

  test('a wrong shape is told from its kind', () => {
    const wrong = attack('wrong-shape')
    const codes = [2, 3, 4, 5].flatMap((sequence) => verdicts(wrong, sequence, sequence - 1))
    assert.deepEqual(codes, ['manifest_mismatch', 'wrong_length', 'bad_digest', 'manifest_mismatch'])
  })

  test('a replayed frame is old, and so are the parameters of the one under a new number', () => {
    const stale = attack('stale-replay')
    assert.deepEqual(verdicts(stale, 2, 1), ['accepted', 'stale_version'])
    assert.deepEqual(verdicts(stale, 3, 2), ['stale_version', 'accepted'])
    assert.deepEqual([...stale.lie!(Float32Array.of(9, 9, 9, 9), knowledge())], [...own])
  })

  test('lies by hand', () => {
    assert.deepEqual([...attack('sign-flip').lie!(own, knowledge())], [-2, -2, -2, -4])
    assert.deepEqual([...attack('alie').lie!(own, knowledge())], [0.5, 2, 0.5, 4])
    // Both honest peers are equally far: away from the mean in the first one's direction.
    assert.deepEqual([...attack('dissensus').lie!(own, knowledge())], [-8, 2, 12, 4])
    const inner = attack('inner-product')
    let at = replicas
    const moving = { ...knowledge(), honest: () => at }
    assert.deepEqual([...inner.lie!(own, moving)], [2, 2, 2, 4])
    at = replicas.map((replica) => replica.map((value) => value + 1))
    // Three steps (1.5 honest 2 / attackers 1) back from where they were.
    assert.deepEqual([...inner.lie!(own, moving)], [-1, -1, -1, 1])
    const crowd = [0, 1].map((index) => [...attack('sybil').lie!(own, { ...knowledge(), index, attackers: 2 })])
    assert.deepEqual(crowd[0], crowd[1])
  })

  test('inflated claims are believed by nobody who counts', () => {
    const [forged] = attack('weight-inflation').forge!(frame(own, 2), knowledge())
    const { version, normalisers } = decodeFrame(forged!)
    assert.equal(version, Number.MAX_SAFE_INTEGER)
    assert.equal(normalisers[0]!.count, Number.MAX_SAFE_INTEGER)
  })

  test('an attacker shows its lie, takes nothing, and forges only parameter frames', async () => {
    const clock = new VirtualClock()
    const network = memoryNetwork(clock, { delayMs: 1 }).join(author)
    const published: Uint8Array[] = []
    network.publish = async (_topic, bytes) => published.push(bytes)
    const hostile = hostileNetwork(network, attack('equivocation'), knowledge())
    assert.equal(hostile.id, author)
    assert.equal(await hostile.publish('params', frame(own, 2)), 2)
    assert.equal(await hostile.publish('beacon', Uint8Array.of(1)), 3)
    const mixed: Float32Array[] = []
    const learner = {
      snapshot: async () => ({ parameters: own.slice(), version: 3 }),
      mix: async (delta: Float32Array) => void mixed.push(delta),
      progress: () => 'its own',
    } as unknown as Learner
    const liar = hostileLearner(learner, attack('sign-flip'), knowledge())
    const { parameters, version } = await liar.snapshot()
    assert.deepEqual([[...parameters], version], [[-2, -2, -2, -4], 3])
    await liar.mix(own)
    assert.deepEqual([mixed, liar.progress() as unknown], [[], 'its own'])
  })

  test('every kind has an attack, and nothing else has', () => {
    for (const kind of ATTACK_KINDS) assert.ok(attackOf(kind)!.lie !== undefined || attackOf(kind)!.forge !== undefined)
    assert.equal(attackOf('toString'), undefined)
  })
})
