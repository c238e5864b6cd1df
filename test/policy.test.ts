/** The small loader: acts as the learner's own evaluation does, in Node and in a browser, fast and small. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { makeEnv, makeVectorEnv } from '../src/envs/registry.ts'
import { wrapVector } from '../src/envs/wrappers/wrap.ts'
import { createEngine } from '../src/learn/engines/create.ts'
import { evaluatePolicy } from '../src/learn/evaluate-policy.ts'
import { layout } from '../src/learn/layout.ts'
import { policyFacts } from '../src/learn/policy-facts.ts'
import { preset, presetNetwork } from '../src/learn/presets.ts'
import { loadPolicy, type Policy } from '../src/policy.ts'
import type { Normaliser } from '../src/ports/learner.ts'
import type { PolicyFile } from '../src/ports/policy.ts'
import { policyTensors } from '../src/store/policy-file.ts'
import { sealTensors } from '../src/wire/sealed-tensors.ts'
import { launchBrowser, skipWithoutBrowser } from './support/browser.ts'
import { someParameters } from './support/networks.ts'

function example(
  algorithm: string,
  environment: string,
  wrappers = preset(algorithm, environment).wrappers ?? [],
  normalisers: readonly Normaliser[] = [],
): PolicyFile {
  const network = presetNetwork(algorithm, preset(algorithm, environment).network, environment, {}, wrappers)
  const facts = policyFacts({
    environment: { id: environment, options: {} },
    wrappers,
    algorithm,
    network,
    normalisers,
    run: 'ab'.repeat(32),
    version: 7,
    steps: 1_000,
    returnMean: null,
  })
  return { facts, parameters: someParameters(network, 11) }
}

const bytesOf = (file: PolicyFile) => sealTensors(policyTensors(file, layout(file.facts.network).slices))

/** Raw return and length of one episode, greedily, in a single environment. */
function play(policy: Policy, id: string, seed: number) {
  const environment = makeEnv(id)
  policy.reset()
  let { observation } = environment.reset({ seed })
  let sum = 0
  for (let length = 1; ; length++) {
    const step = environment.step(policy.act(observation, { deterministic: true }))
    sum += step.reward
    observation = step.observation
    if (step.terminated || step.truncated) return { sum, length }
  }
}

const PENDULUM_WRAPPERS = [
  { id: 'rescaleAction', options: { low: -1, high: 1 } },
  { id: 'normaliseObservations', options: { clip: 2 } },
]
const PENDULUM_MOMENTS: Normaliser = { count: 10, mean: Float64Array.of(0.1, -0.2, 0.5), m2: Float64Array.of(4, 5, 90) }

test('it acts as the evaluation of the learner does: actor-critic, dueling, images, normalised and rescaled', async () => {
  const engine = await createEngine('wasm', { deterministic: true })
  const cases: readonly PolicyFile[] = [
    example('a2c', 'CartPole-v1'),
    example('apex', 'CartPole-v1'),
    example('a2c', 'MinAtar/Breakout-v1'),
    example('ppo', 'Pendulum-v1', PENDULUM_WRAPPERS, [PENDULUM_MOMENTS]),
  ]
  for (const file of cases) {
    const { id } = file.facts.environment
    const { returns, lengths } = evaluatePolicy(file, engine, { episodes: 1, deterministic: true, seed: 5 })
    const { sum, length } = play(await loadPolicy(bytesOf(file)), id, 5)
    assert.equal(length, lengths[0], id)
    assert.ok(Math.abs(sum - returns[0]!) <= 1e-3 * Math.max(1, Math.abs(sum)), `${id}: ${sum} and ${returns[0]}`)
  }
})

test('stacked frames begin anew with every episode, as the wrapper does it', async () => {
  const wrappers = [{ id: 'frameStack', options: { frames: 3 } }]
  const file = example('a2c', 'CartPole-v1', wrappers)
  const policy = await loadPolicy(bytesOf(file))
  const vector = wrapVector(makeVectorEnv('CartPole-v1', 1), wrappers)
  const { ForwardPass } = await import('../src/learn/forward.ts')
  const forward = new ForwardPass(file.facts, file.parameters)
  const out = {
    observations: new Float32Array(12),
    rewards: new Float32Array(1),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
    finalObservations: new Float32Array(12),
  }
  vector.reset(3, out.observations)
  let ended = 0
  for (let step = 0; step < 200; step++) {
    forward.run(out.observations)
    const logits = forward.output('logits')!
    // The newest frame of each value is the last of its three.
    const plain = Float32Array.from({ length: 4 }, (_, i) => out.observations[8 + i]!)
    const action = policy.act(plain, { deterministic: true })
    assert.equal(action, logits[1]! > logits[0]! ? 1 : 0)
    vector.step(Int32Array.of(action as number), out)
    if (out.terminated[0] === 1) {
      ended++
      policy.reset()
    }
  }
  assert.ok(ended > 2)
})

test('samples follow their seed; a continuous action stays in its bounds', async () => {
  const policy = await loadPolicy(bytesOf(example('ppo', 'Pendulum-v1', PENDULUM_WRAPPERS, [PENDULUM_MOMENTS])))
  const observation = [0.5, 0.5, 1]
  const first = policy.act(observation, { seed: 4 }) as Float32Array
  const next = policy.act(observation) as Float32Array
  assert.notDeepEqual(next, first)
  assert.deepEqual(policy.act(observation, { seed: 4 }), first)
  assert.deepEqual(policy.act(observation), next)
  for (let i = 0; i < 200; i++) {
    const [torque] = policy.act(observation) as Float32Array
    assert.ok(torque! >= -2 && torque! <= 2)
  }
  assert.throws(() => policy.act([1, 2]), { code: 'shape', message: "The array 'observation' has 2 elements where 3 are needed." })
  assert.throws(() => policy.act(observation, { seed: 0.5 }), { code: 'seed', message: 'A seed is a whole number, not 0.5.' })
})

test('what is no policy is refused with the reason', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'policy.safetensors')
  const file = example('a2c', 'CartPole-v1')
  writeFileSync(path, bytesOf(file))
  assert.equal((await loadPolicy(path)).facts.version, 7)
  await assert.rejects(loadPolicy(join(folder, 'none')), {
    code: 'policy_unreachable',
    message: /^The policy .* cannot be read: ENOENT.*\.$/,
  })
  await assert.rejects(loadPolicy(new Uint8Array(4)), {
    code: 'bad_policy',
    message: 'This is no policy that can be loaded: it has 4 bytes.',
  })
  await assert.rejects(loadPolicy(sealTensors({ tensors: {}, metadata: {} })), { code: 'bad_policy', message: /of another program/ })
  const { tensors, metadata } = policyTensors(file, layout(file.facts.network).slices)
  const { 'value/kernel': _, ...rest } = tensors
  await assert.rejects(loadPolicy(sealTensors({ tensors: rest, metadata })), { code: 'bad_policy', message: /"value\/kernel" is missing/ })
})

test('a changed byte is noticed, of a weight as well', async () => {
  const bytes = bytesOf(example('a2c', 'CartPole-v1'))
  await loadPolicy(bytes)
  for (const at of [bytes.length - 1, bytes.length - 4_000, 60]) {
    const flipped = bytes.slice()
    flipped[at]! ^= 1
    await assert.rejects(loadPolicy(flipped), { code: 'bad_policy', message: /its checksum does not match its bytes, so it is damaged/ })
  }
})

test('a description that somebody wrote by hand is refused where it is malformed', async () => {
  const file = example('ppo', 'Pendulum-v1', PENDULUM_WRAPPERS, [PENDULUM_MOMENTS])
  const { tensors, metadata } = policyTensors(file, layout(file.facts.network).slices)
  const told = (policy: string) => loadPolicy(sealTensors({ tensors, metadata: { ...metadata, policy } }))
  await assert.rejects(told('{'), { code: 'bad_policy', message: /its description of the policy is no JSON/ })
  const { network, observe, action } = file.facts
  const [normalise] = observe
  const [clip, rescale] = (action as Extract<typeof action, { kind: 'box' }>).stages
  const malformed: readonly (readonly [string, unknown])[] = [
    ['network', null],
    ['network', { ...network, torso: 3 }],
    ['observationShape', [3, -1]],
    ['observationShape', [1e9]],
    ['observe', [{ ...normalise, mean: ['x', 0, 0] }]],
    ['observe', [{ ...normalise, variance: [-1, 0, 0] }]],
    ['observe', [{ kind: 'stack', frames: 1.5, depth: 1 }]],
    ['action', { kind: 'discrete', n: 0 }],
    ['action', { ...action, size: -1 }],
    ['action', { ...action, stages: [{ ...clip, low: [] }, rescale] }],
    ['action', { ...action, stages: [clip, { ...rescale, from: [1, 1] }] }],
  ]
  await told(JSON.stringify(file.facts))
  for (const [field, value] of malformed) {
    const message = `This is no policy that can be loaded: its description of the policy has a malformed ${field}.`
    await assert.rejects(told(JSON.stringify({ ...file.facts, [field]: value })), { code: 'bad_policy', message })
  }
})

/** Two hidden layers of 64 as a textbook writes them: what a decision costs at least, on this machine. */
function plainPass(kernels: readonly Float64Array[], values: readonly Float64Array[]): void {
  for (const [layer, kernel] of kernels.entries()) {
    const x = values[layer]!
    const out = values[layer + 1]!
    for (let unit = 0; unit < out.length; unit++) {
      let sum = 0
      for (let i = 0; i < x.length; i++) sum += x[i]! * kernel[unit * x.length + i]!
      out[unit] = Math.tanh(sum)
    }
  }
}

test('a decision of a small policy costs at most twice its plain multiplications', async () => {
  const policy = await loadPolicy(bytesOf(example('a2c', 'CartPole-v1')))
  const observation = Float32Array.of(0.01, -0.02, 0.03, 0.04)
  const widths = [4, 64, 64, 2]
  const values = widths.map((width) => new Float64Array(width).fill(0.01))
  const kernels = widths.slice(1).map((width, i) => new Float64Array(width * widths[i]!).fill(0.01))
  const seconds = (act: () => void) => {
    const before = performance.now()
    for (let i = 0; i < 4_000; i++) act()
    return (performance.now() - before) / 1_000
  }
  // In turns, and the least of each: others use this machine, too.
  const least = { policy: Infinity, plain: Infinity }
  for (let turn = 0; turn < 20; turn++) {
    least.policy = Math.min(
      least.policy,
      seconds(() => policy.act(observation)),
    )
    least.plain = Math.min(
      least.plain,
      seconds(() => plainPass(kernels, values)),
    )
  }
  assert.ok(least.policy <= 2 * least.plain, `${(least.policy / least.plain).toFixed(2)} times the plain pass`)
})

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('../src/policy.ts', import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

test('the bundle for browsers is below 30 kB and needs nothing of Node', async () => {
  const text = await bundle()
  assert.ok(text.length < 30_000, `${text.length} bytes`)
  assert.doesNotMatch(text, /from\s*["']node:|require\(/)
})

test('in Chromium it takes the same actions as here', { skip: skipWithoutBrowser }, async (context) => {
  const file = example('a2c', 'MinAtar/Breakout-v1')
  const bytes = bytesOf(file)
  const text = await bundle()
  const server = createServer((request, response) => {
    const script = request.url === '/policy.js'
    response.setHeader('content-type', script ? 'text/javascript' : request.url === '/' ? 'text/html' : 'application/octet-stream')
    response.end(script ? text : request.url === '/' ? '<!doctype html><title>policy</title>' : bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const { context: pages, close } = await launchBrowser()
  context.after(close)
  const page = await pages.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const observations = Array.from({ length: 20 }, (_, i) => Array.from({ length: 400 }, (_, k) => Number((k * 7 + i * 13) % 11 === 0)))
  const there = await page.evaluate(async (given) => {
    const script = '/policy.js'
    const { loadPolicy: load } = await import(script)
    const policy = await load(new URL('/policy.safetensors', location.href))
    return given.map((observation, seed) => [policy.act(observation, { seed }), policy.act(observation, { deterministic: true })])
  }, observations)
  const policy = await loadPolicy(bytes)
  assert.deepEqual(
    there,
    observations.map((observation, seed) => [policy.act(observation, { seed }), policy.act(observation, { deterministic: true })]),
  )
  assert.ok(new Set(there.flat()).size > 1)
})
