import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_ADDRESSES_GIVEN } from '../../src/peer/limits.ts'
import type { Founding } from '../../src/peer/settings/founding.ts'
import { type PeerSettings, resolveSettings, type SettingsSources } from '../../src/peer/settings.ts'
import { resolveAveraging } from '../../src/peer/strategies.ts'
import type { MomentKind } from '../../src/ports/learner.ts'
import { GrapevineError } from '../../src/util/errors.ts'

const ADDRESS = '/ip4/127.0.0.1/tcp/4001'

function resolve(sources: Partial<SettingsSources> = {}): PeerSettings {
  return resolveSettings({ command: 'start', addresses: [], flags: {}, file: null, randomSeed: 77, ...sources })
}

function faults(sources: Partial<SettingsSources>): { code: string; lines: string[] } {
  try {
    resolve(sources)
  } catch (error) {
    if (error instanceof GrapevineError) return { code: error.code, lines: error.message.split('\n') }
  }
  return assert.fail('no fault was found')
}

function founding(settings: PeerSettings) {
  assert.ok('found' in settings.run)
  return settings.run.found
}

const file = (values: unknown) => ({ path: 'run.yaml', values })

test('without any flag: CartPole by A2C on this machine only', () => {
  const settings = resolve()
  const found = founding(settings)
  assert.deepEqual([found.environment, found.algorithm, found.strategy, found.codec], ['CartPole-v1', 'a2c', 'auto', 'f32'])
  assert.deepEqual([found.seed, found.horizonSteps, found.name], [77, 500_000, 'CartPole-v1'])
  assert.deepEqual(settings.listen, ['/ip4/127.0.0.1/tcp/0'])
  assert.equal(settings.mdns, false)
  assert.deepEqual(settings.until, { kind: 'forever' })
  assert.equal(settings.minPeriodMs, 200)
  assert.deepEqual(structuredClone(settings), settings)
})

test('a preset for swarms says how to average, and a flag overrules it', () => {
  const given = { env: 'MinAtar/Breakout-v0', algo: 'ppo', preset: 'swarm' }
  const found = founding(resolve({ flags: given }))
  assert.deepEqual([found.strategy, found.rate, found.period], ['broadcast', { rule: 'sqrt', from: 2, cap: 2 }, 32])
  assert.equal(founding(resolve({ flags: { ...given, strategy: 'pairwise' } })).strategy, 'pairwise')
})

test('--relay and --upnp are off unless asked for, and no router opens a port of this machine only', () => {
  assert.deepEqual([resolve().relay, resolve().upnp], [false, false])
  const given = resolve({ flags: { relay: true, upnp: true, lan: true } })
  assert.deepEqual([given.relay, given.upnp], [true, true])
  assert.deepEqual(faults({ flags: { upnp: true } }).lines, [
    '--upnp needs --lan or --listen: a router opens no port of an address that is for this machine only.',
  ])
})

test('the settings are frozen through and through', () => {
  const settings = resolve({ flags: { set: ['gamma=0.9'] } })
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.listen) && Object.isFrozen(founding(settings).hyperparameters))
})

test('a flag wins over the file, the file over the preset', () => {
  const settings = resolve({
    flags: { period: '7', set: ['gamma=0.5', 'minPeriodMs=0'] },
    file: file({ period: 9, seed: 5, codec: 'f16', set: { gamma: 0.6, learningRate: 0.001, optimiser: 'adam' } }),
  })
  const found = founding(settings)
  assert.deepEqual([found.period, found.seed, found.codec, settings.minPeriodMs], [7, 5, 'f16', 0])
  const { gamma, learningRate, optimiser, rolloutLength } = found.hyperparameters
  assert.deepEqual([gamma, learningRate, optimiser, rolloutLength], [0.5, 0.001, 'adam', 5])
  assert.equal('minPeriodMs' in found.hyperparameters, false)
})

test('a preset is named by flag or file, and one that there is not is refused with the choices', () => {
  assert.equal('preset' in founding(resolve()), false)
  assert.equal(founding(resolve({ flags: { preset: 'default' } })).preset, 'default')
  assert.deepEqual(faults({ flags: { preset: 'default' }, file: file({ preset: 5 }) }).lines, [
    '"preset" in run.yaml must be a name, not 5.',
  ])
  for (const sources of [{ flags: { preset: 'fast', algo: 'a3c' } }, { flags: { algo: 'a3c' }, file: file({ preset: 'fast' }) }]) {
    assert.deepEqual(faults(sources), {
      code: 'unknown_preset',
      lines: ['There is no preset "fast" of a3c for CartPole-v1; there is: default.'],
    })
  }
  assert.deepEqual(faults({ command: 'join', addresses: [ADDRESS], flags: { preset: 'default' } }).lines, [
    '--preset is decided by the run that you join; leave it out.',
  ])
})

test('--lan listens everywhere and uses mDNS; explicit addresses stay', () => {
  assert.deepEqual(resolve({ flags: { lan: true } }).listen, ['/ip4/0.0.0.0/tcp/0'])
  assert.equal(resolve({ flags: { lan: true } }).mdns, true)
  assert.equal(resolve({ flags: { lan: true, 'no-mdns': true } }).mdns, false)
  assert.deepEqual(resolve({ flags: { lan: true, listen: ['127.0.0.1:4001'] } }).listen, [ADDRESS])
  assert.deepEqual(resolve({ file: file({ announce: 'example.org:4001' }) }).announce, ['/dns/example.org/tcp/4001'])
})

test('where the dashboard listens', () => {
  assert.deepEqual(resolve().http, { host: '127.0.0.1', port: 0 })
  assert.deepEqual(resolve({ flags: { http: '0.0.0.0:8080' } }).http, { host: '0.0.0.0', port: 8080 })
  assert.deepEqual(resolve({ flags: { http: '[::1]:0' } }).http, { host: '::1', port: 0 })
  assert.equal(resolve({ flags: { 'no-http': true } }).http, null)
  for (const bad of ['8080', 'localhost:8080', '127.0.0.1', '127.0.0.300:80', '127.0.0.1:65536', '::1:80', '[zz]:80']) {
    assert.deepEqual(faults({ flags: { http: bad } }).lines, [
      `--http must be ADDRESS:PORT with an IP address, such as 127.0.0.1:8080, not "${bad}".`,
    ])
  }
})

test('until and threshold', () => {
  assert.deepEqual(resolve({ flags: { until: 'solved' } }).until, { kind: 'solved' })
  assert.deepEqual(resolve({ flags: { until: 'steps=20_000' } }).until, { kind: 'steps', steps: 20_000 })
  assert.deepEqual(resolve({ flags: { until: 'minutes=0.17' } }).until, { kind: 'minutes', minutes: 0.17 })
  assert.equal(resolve({ flags: { threshold: '-12.5' } }).threshold, -12.5)
})

test("actor threads: none unless asked for, as many as asked for, or one for each core but the learner's", () => {
  assert.equal(resolve().actors, 0)
  assert.equal(resolve({ flags: { actors: '3' } }).actors, 3)
  assert.equal(resolve({ flags: { actors: 'auto' }, cores: 8 }).actors, 7)
  assert.equal(resolve({ flags: { actors: 'auto' }, cores: 1 }).actors, 0)
  assert.equal(resolve({ flags: { actors: 'auto', deterministic: true }, cores: 8 }).actors, 0)
  assert.deepEqual(faults({ flags: { actors: '2', deterministic: true } }).lines, [
    '--deterministic needs --actors 0: threads differ in their order each time.',
  ])
  assert.deepEqual(faults({ flags: { actors: 'many' } }).lines, ['--actors must be a whole number from 0 to 256, or auto, not "many".'])
})

test('threads of the engine: one unless asked for, auto takes a second core where actors leave one', () => {
  assert.equal(resolve().threads, 1)
  assert.equal(resolve({ flags: { threads: '2', deterministic: true } }).threads, 2)
  assert.equal(resolve({ flags: { threads: 'auto' }, cores: 8 }).threads, 2)
  assert.equal(resolve({ flags: { threads: 'auto' }, cores: 1 }).threads, 1)
  assert.equal(resolve({ flags: { threads: 'auto', actors: 'auto' }, cores: 8 }).threads, 1)
  assert.equal(resolve({ flags: { threads: 'auto', deterministic: true }, cores: 8 }).threads, 1)
  assert.equal(resolve({ file: file({ threads: 2 }) }).threads, 2)
  assert.deepEqual(faults({ flags: { threads: '3' } }).lines, ['--threads must be a whole number from 1 to 2, or auto, not "3".'])
  assert.deepEqual(faults({ flags: { threads: '2', engine: 'tfjs' } }).lines, [
    '--threads 2 needs --engine wasm: tfjs has threads of its own.',
  ])
})

test('with --deterministic the seed is not drawn', () => {
  assert.equal(founding(resolve({ flags: { deterministic: true } })).seed, 1)
  assert.equal(founding(resolve({ flags: { deterministic: true, seed: '9' } })).seed, 9)
})

test('a joiner has addresses and its own settings only', () => {
  const settings = resolve({ command: 'join', addresses: ['127.0.0.1:4001', ADDRESS], flags: { set: ['minPeriodMs=5'] } })
  assert.deepEqual(settings.run, { join: [ADDRESS] })
  assert.equal(settings.minPeriodMs, 5)
  const { code, lines } = faults({
    command: 'join',
    addresses: ['127.0.0.1'],
    flags: { set: ['gamma=1'] },
    file: file({ env: 'CartPole-v1' }),
  })
  assert.equal(code, 'usage')
  assert.deepEqual(lines, [
    '"env" in run.yaml is decided by the run that you join; leave it out.',
    '"127.0.0.1" is no address to join: it names no port; write 127.0.0.1:PORT.',
    '"gamma" (--set) is decided by the run that you join; only minPeriodMs, checkpointSeconds and maxStepsPerSecond are your own.',
  ])
})

test('all faults are reported at once, each naming its place and the nearest choice', () => {
  const { code, lines } = faults({
    flags: { env: 'CartPole', algo: 'a2x', listen: ['/ip4/1.2.3.4/tpc/1'], period: '0', until: 'steps=-1', codec: 'f61', engine: 'torch' },
    file: file({ seed: 1.5, lan: 'yes', perod: 5, set: [1], json: true }),
  })
  assert.equal(code, 'usage')
  assert.deepEqual(lines, [
    '"perod" in run.yaml is no setting; did you mean period?',
    '"json" in run.yaml is for the command line only; write --json there.',
    '"seed" in run.yaml must be a whole number from 0 to 4294967295, not 1.5.',
    '"set" in run.yaml must be KEY=VALUE, not 1.',
    '"lan" in run.yaml must be true or false, not "yes".',
    '--env names no environment known here: "CartPole"; did you mean CartPole-v1?',
    '--algo names no algorithm known here: "a2x"; did you mean a2c?',
    '--codec names no codec known here: "f61"; did you mean f16?',
    '--period must be a whole number from 1 to 1000000, or auto, not "0".',
    '--listen has no valid address in "/ip4/1.2.3.4/tpc/1": did you mean /ip4/1.2.3.4/tcp/1?',
    '--engine names no engine known here: "torch"; choose one of wasm, tfjs.',
    '--until steps must be a whole number from 1 to 9007199254740991, not "-1".',
  ])
})

test('one kind of fault keeps its code', () => {
  assert.equal(faults({ flags: { env: 'Foo-v0' } }).code, 'unknown_environment')
  assert.equal(faults({ flags: { algo: 'foo' } }).code, 'unknown_algorithm')
  assert.equal(faults({ flags: { announce: ['nonsense'] } }).code, 'malformed')
  const hyper = faults({ flags: { set: ['gama=0.9', 'gamma=2', 'optimiser=sgd'] } })
  assert.equal(hyper.code, 'hyperparameter')
  assert.equal(hyper.lines.length, 3)
  assert.equal(hyper.lines[0], '"gama" (--set) is no hyper-parameter of a2c; did you mean gamma?')
})

test('assignments that are none', () => {
  assert.deepEqual(faults({ flags: { set: ['gamma'] } }).lines, ['--set must be KEY=VALUE, not "gamma".'])
  assert.deepEqual(faults({ flags: { set: ['minPeriodMs=-1'] } }).lines, [
    'minPeriodMs (--set) must be a whole number from 0 to 3600000, not -1.',
  ])
  assert.deepEqual(faults({ flags: { set: ['horizonSteps=many'] } }).lines, [
    'horizonSteps (--set) must be a whole number from 1 to 9007199254740991, not "many".',
  ])
  assert.deepEqual(faults({ file: file(['env']) }).lines, [
    'The settings in run.yaml must be a map of names to values, such as "env: CartPole-v1".',
  ])
})

test('numbers are decimals, as text and in a file, and finite', () => {
  const found = (flags: Record<string, unknown>) => {
    const { run, threshold } = resolve({ flags })
    return { ...('found' in run ? run.found : null), threshold }
  }
  assert.deepEqual([found({ seed: '1_000' }).seed, found({ threshold: '-.5e1' }).threshold], [1_000, -5])
  for (const seed of ['_', '', ' 5', '0x10', '1e', 'Infinity', Number.NaN]) {
    const shown = typeof seed === 'string' ? `"${seed}"` : String(seed)
    assert.deepEqual(faults({ flags: { seed } }).lines, [`--seed must be a whole number from 0 to 4294967295, not ${shown}.`])
  }
  assert.deepEqual(faults({ file: file({ threshold: Number.NaN, set: { gamma: Number.POSITIVE_INFINITY } }) }).lines, [
    '"set" in run.yaml takes finite numbers, text, true, false or null for gamma, not Infinity.',
    '"threshold" in run.yaml must be a number, not NaN.',
  ])
})

test('what the caller found comes first, and what it made unknown is not judged', () => {
  const found = [{ code: 'config', message: 'No file.', fields: ['algo', 'env'] }]
  assert.deepEqual(faults({ faults: found, flags: { set: ['clipRatio=1'], seed: '-1' } }).lines, [
    'No file.',
    '--seed must be a whole number from 0 to 4294967295, not "-1".',
  ])
  assert.equal(faults({ faults: found }).code, 'config')
})

test('addresses to join are bounded', () => {
  const addresses = Array.from({ length: MAX_ADDRESSES_GIVEN + 1 }, (_, i) => `127.0.0.1:${i + 1}`)
  assert.deepEqual(faults({ command: 'join', addresses }).lines, [
    'At most 64 addresses are tried, not 65; one peer that answers is enough.',
  ])
})

test('consensus control and the outer step have settings of their own, which need them', () => {
  const founding = (flags: Record<string, unknown>) => {
    const { run } = resolveSettings({ command: 'start', addresses: [], flags, file: null, randomSeed: 1 })
    assert.ok('found' in run)
    return run.found
  }
  const plain = founding({})
  assert.deepEqual([plain.periodTarget, plain.outer, plain.robust], [null, { learningRate: 1, momentum: 0 }, 'clip'])
  const chosen = founding({ period: 'auto', outer: 'nesterov', set: ['outerLearningRate=0.7'], codec: 'subset:0.10:int8' })
  assert.deepEqual([chosen.period, chosen.periodTarget], [10, 0.03])
  assert.deepEqual([chosen.outer, chosen.codec], [{ learningRate: 0.7, momentum: 0.5 }, 'subset:0.1:int8'])
  assert.equal(founding({ period: 'auto', set: ['consensusTarget=0.2'] }).periodTarget, 0.2)
  assert.deepEqual(
    ['local', 'reset', 'averaged'].map((moments) => founding({ moments }).moments),
    [undefined, 'reset', 'averaged'],
  )
  assert.throws(
    () => founding({ moments: 'away' }),
    /--moments names no policy of moments known here: "away"; choose one of local, averaged, reset/,
  )
  for (const flags of [{ set: ['outerMomentum=0.5'] }, { set: ['consensusTarget=0.2'] }, { outer: 'nesterov', set: ['outerMomentum=1'] }]) {
    assert.throws(() => founding(flags), { code: 'usage' })
  }
})

test("the learning rate's rule is the preset's, and --set changes it, takes it away or begins one", () => {
  const rate = (env: string, algo: string, set: readonly string[]) => {
    const { run } = resolveSettings({ command: 'start', addresses: [], flags: { env, algo, set }, file: null, randomSeed: 1 })
    assert.ok('found' in run)
    return run.found.rate
  }
  const preset = rate('CartPole-v1', 'a2c', [])
  assert.equal(preset?.rule, 'sqrt')
  assert.deepEqual(rate('CartPole-v1', 'a2c', ['rateCap=8']), { ...preset, cap: 8 })
  assert.equal(rate('CartPole-v1', 'a2c', ['rateRule=none']), null)
  assert.deepEqual(rate('CartPole-v1', 'a3c', ['rateRule=sqrt']), { rule: 'sqrt', from: 1, cap: 2 })
  assert.deepEqual(rate('CartPole-v1', 'a3c', ['rateFrom=4']), { rule: 'sqrt', from: 4, cap: 2 })
  const wrong: [string, RegExp][] = [
    ['rateRule=cubic', /^rateRule \(--set\) must be sqrt or none, not "cubic"\.$/],
    ['rateFrom=0', /^rateFrom \(--set\) must be a number from 1 to 1000, not 0\.$/],
    ['rateCap=100', /^rateCap \(--set\) must be a number from 1 to 64, not 100\.$/],
  ]
  for (const [set, message] of wrong) assert.throws(() => rate('CartPole-v1', 'a2c', [set]), { code: 'usage', message })
  assert.throws(() => rate('CartPole-v1', 'a2c', ['rateRule=none', 'rateCap=2']), /rateFrom and rateCap \(--set\) make no sense/)
})

test('sharing experience is a choice of the founder, for algorithms that can, within bounds', () => {
  const given = (flags: Record<string, unknown>) => ({ command: 'start', addresses: [], flags, file: null, randomSeed: 1 }) as const
  for (const [algo, value, share] of [
    ['apex', '0.2', 0.2],
    ['impala', 0.05, 0.05],
  ] as const) {
    const { run } = resolveSettings(given({ algo, 'share-experience': value }))
    assert.ok('found' in run && run.found.experienceShare === share)
  }
  const { run } = resolveSettings(given({ algo: 'apex' }))
  assert.ok('found' in run && !('experienceShare' in run.found))
  // Averaging comes ten times as seldom as the preset says, unless somebody wants it otherwise.
  for (const [flags, period] of [
    [{}, 10 * run.found.period],
    [{ period: 30 }, 30],
  ] as const) {
    const { run: sharing } = resolveSettings(given({ algo: 'apex', 'share-experience': 0.1, ...flags }))
    assert.ok('found' in sharing && sharing.found.period === period)
  }
  for (const algo of ['a2c', 'a3c', 'ppo']) {
    assert.deepEqual(faults(given({ algo, 'share-experience': 0.1 })).lines, [
      `Experience is shared (--share-experience) with the algorithms apex and impala only; ${algo} learns from nothing but what its own policy just did.`,
    ])
  }
  for (const share of ['0', '0.21', 'half', 'NaN']) {
    assert.deepEqual(faults(given({ algo: 'apex', 'share-experience': share })).lines, [
      `--share-experience must be a number above 0 and at most 0.2, not "${share}".`,
    ])
  }
  assert.match(
    faults(given({ algo: 'apex', 'share-experience': 0.2, set: ['batchSize=8'] })).lines[0]!,
    /less than one row of a batch of 8/,
  )
  assert.deepEqual(faults({ command: 'join', addresses: ['127.0.0.1:1'], flags: { 'share-experience': 0.1 } }).lines, [
    '--share-experience is decided by the run that you join; leave it out.',
  ])
})

test('gossip carries no snapshot over its limit, and says what does', () => {
  const model = { parameterCount: 300_000, slices: [300_000], moments: [] }
  const choice = { partner: null, server: null, robust: 'none', strategy: 'broadcast' }
  const refused = (codec: string) => {
    try {
      resolveAveraging({ ...choice, codec }, model, 'me')
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.match(
    refused('f32'),
    /^--strategy broadcast carries snapshots of at most 1048576 bytes and one of this model has 1200\d{3}; choose pairwise, or --codec f16\.$/,
  )
  assert.equal(refused('f16'), 'taken')
})

test('rules that compare neighbours need several', () => {
  const robust = 'median'
  const model = { parameterCount: 10, slices: [10], moments: [] }
  const choice = { partner: null, server: null, codec: 'f32', robust }
  assert.equal(resolveAveraging({ ...choice, strategy: 'auto' }, model, 'me').strategy, 'broadcast')
  assert.throws(() => resolveAveraging({ ...choice, strategy: 'pairwise' }, model, 'me'), { code: 'usage', message: /median.*clip/ })
  const travelling = { ...model, moments: ['mean', 'square'] as const }
  assert.throws(() => resolveAveraging({ ...choice, strategy: 'auto' }, travelling, 'me'), {
    code: 'usage',
    message: '--moments averaged gives moments the weight of their parameters, which --robust median has not; choose clip or none.',
  })
})

test('moments that travel count for what gossip can carry', () => {
  const choice = { partner: null, server: null, codec: 'f32', robust: 'clip', strategy: 'auto' }
  const strategyOf = (moments: readonly MomentKind[]) =>
    resolveAveraging(choice, { parameterCount: 8_000, slices: [8_000], moments }, 'me').strategy
  assert.deepEqual([strategyOf([]), strategyOf(['square']), strategyOf(['mean', 'square'])], ['broadcast', 'broadcast', 'pairwise'])
})

test("what --set env.NAME says is the environment's; what it does not take is told with the rest", () => {
  const resolve = (set: readonly string[], env = 'CartPole-v1') =>
    resolveSettings({ command: 'start', addresses: [], flags: { env, set }, file: null, randomSeed: 1 })
  const { found } = resolve(['env.length=1.5', 'env.maxEpisodeSteps=50', 'gamma=0.9']).run as { found: Founding }
  assert.deepEqual(found.environmentOptions, { length: 1.5, maxEpisodeSteps: 50 })
  assert.equal(found.hyperparameters.gamma, 0.9)
  assert.ok(!Object.keys(found.hyperparameters).some((name) => name.startsWith('env.')))
  assert.deepEqual((resolve([]).run as { found: Founding }).found.environmentOptions, {})
  assert.throws(() => resolve(['env.length=1000', 'gama=1']), { message: /"length" of CartPole-v1 must be from 0\.01[\s\S]*"gama"/ })
  assert.throws(() => resolve(['env.size=3'], 'Pendulum-v1'), { message: 'Pendulum-v1 has no option "size"; it has none.' })
})
