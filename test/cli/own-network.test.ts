/** A model of one's own on the command line: two processes train it and average, and who has not the very same file stays out. */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { loadPolicy } from '../../src/policy.ts'
import { TestDaemon } from '../support/daemon.ts'
import { grapevine } from './spawn.ts'

const EXAMPLE = join(import.meta.dirname, '../../scripts/examples/my-model.ts')
/** Each of these starts TensorFlow.js in two threads, on machines that have other things to do. */
const START_MS = 60_000

test('two processes train a model and average, others are told what they lack, and the policy goes out', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const founder = TestDaemon.spawn(context, ['start', '--network', EXAMPLE, '--seed', '3'])
  const [address] = (await founder.event('listening', START_MS)).addresses
  const other = join(folder, 'my-model.ts')
  copyFileSync(EXAMPLE, other)
  appendFileSync(other, '// changed\n')
  const [without, different, joiner] = await Promise.all([
    grapevine(['join', address!], folder),
    grapevine(['join', address!, '--network', other], folder),
    (async () => {
      const joiner = TestDaemon.spawn(context, ['join', address!, '--network', EXAMPLE])
      await joiner.event('joined', START_MS)
      return joiner
    })(),
  ])
  assert.deepEqual([without.code, different.code], [3, 3])
  assert.match(
    without.err,
    /^grapevine: Cannot take part in this run: its network is a model of module my-model \(digest [0-9a-f]{12}\), which is missing here; name its file with --network\.\n$/,
  )
  assert.match(
    different.err,
    /its network is a model of module my-model \(digest [0-9a-f]{12}\) there, and the file of --network differs here \(digest [0-9a-f]{12}\)\.\n$/,
  )
  const mixes = await Promise.all([founder, joiner].map((daemon) => daemon.event('mix', START_MS)))
  for (const { distance, strategy } of mixes) {
    assert.equal(strategy, 'broadcast')
    assert.ok(distance !== null && Number.isFinite(distance))
  }
  assert.equal(await joiner.terminate(), 0)
  assert.equal(await founder.terminate(), 0)

  const { dataDir } = founder
  const evaluated = await grapevine(['eval', dataDir, '--network', EXAMPLE, '--episodes', '3', '--json'], folder)
  assert.equal(evaluated.code, 0, evaluated.err)
  assert.equal(JSON.parse(evaluated.out).returns.length, 3)
  const missing = await grapevine(['eval', dataDir], folder)
  assert.equal(missing.code, 2)
  assert.match(
    missing.err,
    /The network of this policy is a model of its own \(my-model\); name the module that builds it with --network\.\n$/,
  )
  const wrong = await grapevine(['eval', dataDir, '--network', other], folder)
  assert.match(wrong.err, /it is not the file that this policy was trained with \(my-model\)\.\n$/)

  const weights = await grapevine(['export', dataDir, '--out', join(folder, 'weights.safetensors')], folder)
  assert.equal(weights.code, 0)
  assert.match(
    weights.err,
    /^grapevine: The file holds the weights alone; with --network MODULE it is one that grapevine-rl\/policy can run\.\n$/,
  )
  await assert.rejects(loadPolicy(join(folder, 'weights.safetensors')), {
    code: 'bad_network',
    message: /export it again with --network MODULE/,
  })
  const exported = join(folder, 'policy.safetensors')
  const described = await grapevine(['export', dataDir, '--network', EXAMPLE, '--out', exported], folder)
  assert.deepEqual([described.code, described.err], [0, ''])
  const policy = await loadPolicy(exported)
  assert.ok([0, 1].includes(policy.act([0.01, -0.02, 0.03, 0.04]) as number))
  const bare = await grapevine(['export', dataDir, '--format', 'onnx', '--out', join(folder, 'policy.onnx')], folder)
  assert.equal(bare.code, 2)
  assert.match(bare.err, /is a model of its own \(my-model\); name the module that builds it with --network\.\n$/)
  // What was exported with its layers needs no module any more.
  for (const from of [[dataDir, '--network', EXAMPLE], [exported]]) {
    const out = join(folder, `${from.length}.onnx`)
    const onnx = await grapevine(['export', ...from, '--format', 'onnx', '--out', out], folder)
    assert.equal(onnx.code, 0, onnx.err)
  }
  assert.deepEqual(readFileSync(join(folder, '1.onnx')), readFileSync(join(folder, '3.onnx')))
  const report = await grapevine(['report', exported, '--out', join(folder, 'report.html')], folder)
  assert.equal(report.code, 0, report.err)
  assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /my-model/)
  const layers = await grapevine(['export', dataDir, '--format', 'tfjs', '--network', EXAMPLE, '--out', join(folder, 'model')], folder)
  assert.equal(layers.code, 0, layers.err)
  const { modelTopology, weightsManifest, userDefinedMetadata } = JSON.parse(readFileSync(join(folder, 'model/model.json'), 'utf8'))
  const weightData = new Uint8Array(readFileSync(join(folder, 'model/weights.bin'))).buffer
  const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }))
  assert.deepEqual(model.outputNames, ['logits', 'value'])
  assert.equal(userDefinedMetadata.policy.environment.id, 'CartPole-v1')

  const resumedWithout = await grapevine(['start', '--resume', dataDir], folder)
  assert.equal(resumedWithout.code, 3)
  assert.match(resumedWithout.err, /module my-model \(digest [0-9a-f]{12}\), which is missing here; name its file with --network\.\n$/)
  const resumed = TestDaemon.spawn(context, ['start', '--resume', '--network', EXAMPLE], { dataDir })
  const { steps } = await resumed.event('stats', START_MS, ({ steps }) => steps > 0)
  assert.ok(steps > 0)
  assert.equal(await resumed.terminate(), 0)
  assert.ok(existsSync(join(dataDir, 'checkpoints')))
})

test('what cannot be is said in one sentence, with exit code 2', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--engine', 'wasm'],
      /^grapevine: --network needs --engine tfjs, which is its default: a model of your own runs on TensorFlow\.js alone\.\n$/,
    ],
    [['--actors', '2'], /^grapevine: --network needs --actors 0: threads that act share the memory of the engine wasm, [^\n]*\.\n$/],
    [['--threads', '2'], /^grapevine: --threads 2 needs --engine wasm: tfjs has threads of its own\.\n$/],
  ]
  for (const [flags, message] of cases) {
    const { code, err } = await grapevine(['start', '--network', EXAMPLE, '--dry-run', ...flags], folder)
    assert.equal(code, 2, err)
    assert.match(err, message)
  }
  const missing = await grapevine(['start', '--network', './nowhere.ts', '--algo', 'nope'], folder)
  assert.equal(missing.code, 2)
  assert.match(missing.err, /The module \.\/nowhere\.ts cannot serve as a network \(--network\): it cannot be read/)
  assert.match(missing.err, /--algo names no algorithm known here: "nope"/)
})
