/** The public library as a program uses it that gets things wrong: each mistake has one sentence and a code, and what is right works. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { average, createPeer, loadPolicy, makeEnv, makeVectorEnv, registerEnv, registerStrategy, rl, simulate } from '../src/index.ts'

/** Wrong on purpose, as a program without types has it. */
const wrong = (value: unknown) => value as never

test('environments: what they are made of, how they are reset and stepped, and when', () => {
  const cart = makeEnv('CartPole-v1')
  const pendulum = makeEnv('Pendulum-v1')
  pendulum.reset({ seed: 1 })
  cart.reset({ seed: 1 })
  const mistakes: readonly [() => unknown, string, RegExp][] = [
    [() => makeEnv(wrong(undefined)), 'unknown_environment', /^An environment is named by its id, such as "CartPole-v1", not undefined\.$/],
    [() => makeEnv(wrong(3)), 'unknown_environment', /not 3\.$/],
    [() => makeEnv('CartPole-v9'), 'unknown_environment', /did you mean CartPole-v1\?$/],
    [() => makeEnv('CartPole-v1', wrong(null)), 'option', /^Options of CartPole-v1 are an object, such as .*, not null\.$/],
    [() => makeVectorEnv('CartPole-v1', wrong('3')), 'shape', /but 3 were asked for/],
    [() => registerEnv('X-v0', wrong(undefined)), 'environment', /^registerEnv takes a function that makes "X-v0".*it got undefined\.$/],
    [() => registerEnv('X-v0', wrong({})), 'environment', /it got an object\.$/],
    [
      () =>
        registerEnv(
          wrong(3),
          wrong(() => 1),
        ),
      'environment_id',
      /"3" is none/,
    ],
    [() => cart.reset({ seed: 1.5 }), 'seed', /from 0 to 2\^53 - 1, but it is 1\.5/],
    [() => cart.step(wrong('1')), 'shape', /^An action here is a number from 0 to 1, not string 1\.$/],
    [() => cart.step(wrong(undefined)), 'shape', /not undefined undefined\.$/],
    [() => cart.step(Float32Array.of(1)), 'shape', /not Float32Array\.$/],
    [() => cart.step(2), 'action', /./],
    [() => pendulum.step(0), 'shape', /^An action here is a Float32Array of 1, not number 0\.$/],
    [() => pendulum.step(wrong([0])), 'shape', /not Array\.$/],
    [() => pendulum.step(Float32Array.of(Number.NaN)), 'action', /NaN/],
    [() => pendulum.step(Float32Array.of(1, 2)), 'shape', /of length 2/],
  ]
  for (const [mistake, code, message] of mistakes) assert.throws(mistake, { name: 'GrapevineError', code, message })
  registerEnv('Junk-v0', () => wrong(5))
  const junk = { code: 'environment', message: /^What was made as "Junk-v0" is no environment: 5 has no reset/ }
  assert.throws(() => makeEnv('Junk-v0'), junk)
  assert.throws(() => makeVectorEnv('Junk-v0', 2), junk)
  let over = false
  for (let t = 0; t < 600 && !over; t++) over = cart.step(1).terminated
  assert.ok(over)
  assert.throws(() => cart.step(1), { code: 'episode_over' })
  cart.close()
  cart.close()
})

test('strategies: a name, a start, and rules', () => {
  const start = () => null
  const mistakes: readonly [unknown, unknown, RegExp][] = [
    [undefined, undefined, /^"undefined" is no name for a strategy/],
    ['Upper', { rules: ['all'], start }, /^"Upper" is no name/],
    ['auto', { rules: ['all'], start }, /^There is a strategy "auto" already/],
    ['broadcast', { rules: ['all'], start }, /^There is a strategy "broadcast" already/],
    ['some', null, /^The strategy "some" needs a function start/],
    ['some', { rules: ['all'] }, /needs a function start/],
    ['some', { start }, /^The strategy "some" needs rules: the partner rules that it goes by, such as \['all'\], or 'a peer'\.$/],
    ['some', { start, rules: [] }, /needs rules/],
  ]
  for (const [name, strategy, message] of mistakes) {
    assert.throws(() => registerStrategy(wrong(name), wrong(strategy)), { code: 'usage', message })
  }
})

test('peers and simulations: an object of settings, with addresses as a list', async () => {
  for (const [choices, message] of [
    [null, /^createPeer takes an object of settings.*not null\.$/],
    [3, /not 3\.$/],
    [{ join: '127.0.0.1:1' }, /^join takes a list of addresses/],
    [{ join: [] }, /^join takes a list/],
    [{ join: [3] }, /^join takes a list/],
    [{ bogus: 1 }, /^--bogus is no setting/],
  ] as const)
    assert.throws(() => createPeer(wrong(choices)), { code: 'usage', message })
  const peer = createPeer({ env: 'CartPole-v1', set: { gamma: 0.9 }, seed: '3' })
  assert.throws(() => peer.status(), { code: 'not_running', message: 'This peer is not running: await start() first.' })
  await peer.stop()
  await assert.rejects(peer.start(), { code: 'stopped', message: 'This peer was stopped.' })
  for (const choices of [null, 'x', { nodes: 0 }, { node: 2 }, { scenario: 'abc' }]) {
    await assert.rejects(simulate(wrong(choices)), { name: 'GrapevineError', code: 'usage' })
  }
})

test('policies: a path, a URL, or bytes', async () => {
  for (const [source, code, message] of [
    [undefined, 'policy_unreachable', /^A policy is a path, a URL or bytes, not undefined\.$/],
    [3, 'policy_unreachable', /not number\.$/],
    [null, 'policy_unreachable', /not null\.$/],
    ['/nowhere', 'policy_unreachable', /ENOENT/],
    ['file:///nowhere', 'policy_unreachable', /ENOENT/],
    [new ArrayBuffer(0), 'bad_policy', /it has 0 bytes/],
    [new Uint8Array(5), 'bad_policy', /it has 5 bytes/],
  ] as const)
    await assert.rejects(loadPolicy(wrong(source)), { name: 'GrapevineError', code, message })
})

test('averaging as functions: means, what stands far off, pairs', () => {
  const mine = Float32Array.of(0, 10)
  const out = new Float32Array(2)
  average.broadcastDelta([Float32Array.of(3, 10)], mine, out, [1])
  assert.deepEqual(out, Float32Array.of(1.5, 0))
  average.robustDelta(
    'median',
    [Float32Array.of(1, 10), Float32Array.of(1_000, 10), Float32Array.of(2, 10), Float32Array.of(3, 10)],
    mine,
    out,
    [1, 1, 1, 1],
  )
  // Votes 0, 1, 2, 3, 1000.
  assert.deepEqual(out, Float32Array.of(2, 0))
  assert.deepEqual([average.clipFactor(4, 1), average.clipFactor(1, 4), average.clipFactor(Number.NaN, 1)], [0.25, 1, 0])
  assert.deepEqual(average.ringNeighbours(['a', 'b', 'c', 'd'], 'a').toSorted(), ['b', 'd'])
  assert.equal(average.matching(['a', 'b', 'c', 'd'], 'run', 1).length, 2)
  const { distance } = average.consensusDistance([Float32Array.of(0, 0), Float32Array.of(2, 2)])
  assert.equal(distance, 1)
  assert.throws(() => average.codecNamed('f99'), { code: 'unknown_codec' })
})

test('prioritised replay as functions: what errs more is drawn more', () => {
  const memory = new rl.PrioritisedReplay({ capacity: 4, observationSize: 1, bytes: false, alpha: 1 })
  const slots = [0, 1, 2].map((value) => memory.push(Float32Array.of(value), 0))
  memory.transition(slots[0]!, 0, 5, 0.9, slots[1]!, 1)
  memory.transition(slots[1]!, 1, 6, 0.9, slots[2]!, 3)
  const batch = rl.replayBatch(1_000, 1)
  memory.sample(rl.seededRandom(1), 1, batch)
  const drawn = batch.rewards.filter((reward) => reward === 6).length
  // Three in four, give or take four standard errors of sqrt(1000 * 3/16).
  assert.ok(Math.abs(drawn - 750) < 55, `${drawn} of 1000`)
  assert.ok(Math.abs(rl.priorityOf(-2, 1) - 2) < 1e-5)
})
