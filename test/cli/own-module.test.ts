/** An environment of one's own on the command line: checked, trained on, and joined only by who has the very same file. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tryModule } from '../../src/node/trial.ts'
import { TestDaemon } from '../support/daemon.ts'
import { grapevine } from './spawn.ts'

const EXAMPLE = join(import.meta.dirname, '../../scripts/examples/my-env.ts')
const BROKEN = 'export const make = () => ({ observationSpace: 1, actionSpace: { kind: "discrete", n: 2 }, reset() {}, step() {} })\n'
/** An environment with one fault: what its reset returns as observation. */
const BROKEN_RESET = `const box = { kind: 'box', shape: [1], low: Float32Array.of(-1), high: Float32Array.of(1) }
export const make = () => ({ observationSpace: box, actionSpace: { kind: 'discrete', n: 2 }, reset: () => ({ info: {}, observation: `
const REST = `, step: () => ({ observation: Float32Array.of(0), reward: 1, terminated: true, truncated: false, info: {} }), close() {} })\n`

test('envs --check says what is wrong in words, and nothing of a sound one', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const broken = join(folder, 'broken.ts')
  writeFileSync(broken, BROKEN)
  const sound = await grapevine(['envs', '--check', EXAMPLE], folder)
  assert.deepEqual([sound.code, sound.out], [0, `Corridor-v0 keeps the contract: train on it with --env ${EXAMPLE}\n`])
  const checked = await grapevine(['envs', '--check', broken], folder)
  assert.equal(checked.code, 2)
  assert.match(checked.out, /observationSpace must be a box/)
  assert.match(checked.out, /no method close\(\)/)
  const missing = await grapevine(['start', '--env', './nowhere.ts'], folder)
  assert.equal(missing.code, 2)
  assert.match(missing.err, /The module \.\/nowhere\.ts cannot serve as an environment: it cannot be read/)
})

test('a module that cannot be trained on ends the start at once: exit 2, in words', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const cases: [string, string, RegExp][] = [
    ['throws.mjs', 'export const make = () => { throw new Error("no luck") }\n', /The factory threw "no luck"/],
    ['short.mjs', `${BROKEN_RESET}Float32Array.of(1, 2) })${REST}`, /observation/],
    ['nan.mjs', `${BROKEN_RESET}Float32Array.of(NaN) })${REST}`, /NaN/],
    ['none.mjs', `${BROKEN_RESET}undefined })${REST}`, /observation/],
  ]
  for (const [name, text, reason] of cases) {
    const file = join(folder, name)
    writeFileSync(file, text)
    const { code, err } = await grapevine(['start', '--env', file], folder)
    assert.equal(code, 2, err)
    assert.match(err, /^grapevine: The module .* cannot serve as an environment: .* tells all\.\n$/)
    assert.match(err, reason)
  }
})

test('a module that never returns is told in a sentence and holds nothing up', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const cases: [string, string, RegExp][] = [
    ['reset.mjs', `${BROKEN_RESET}(() => { for (;;); })() })${REST}`, /environment: its reset\(\) did not return within 0\.5 s\.$/],
    ['make.mjs', 'export const make = () => { for (;;); }\n', /environment: its function "make" did not return within 0\.5 s\.$/],
    [
      'import.mjs',
      'export const make = await new Promise(() => setInterval(() => {}, 1000))\n',
      /importing it did not return within 0\.5 s\.$/,
    ],
  ]
  for (const [name, text, message] of cases) {
    const file = join(folder, name)
    writeFileSync(file, text)
    await assert.rejects(tryModule(file, false, 500), { code: 'environment_module', message })
  }
})

test('a settings file may name the module, too', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'run.yaml')
  writeFileSync(file, `env: ${EXAMPLE}\n`)
  const started = await grapevine(['start', '--config', file, '--dry-run', '--json'], folder)
  assert.equal(JSON.parse(started.out).manifest.environment.id, 'Corridor-v0')
  const joined = await grapevine(['join', '127.0.0.1:1', '--config', file, '--dry-run', '--json'], folder)
  assert.equal(JSON.parse(joined.out).settings.modules.length, 1)
})

test('a run on a module is joined with the module, and refused without it', async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--env', EXAMPLE, '--wait-for-peers', '1'])
  const [address] = (await founder.event('listening', 20_000)).addresses
  const without = await grapevine(['join', address!], founder.dataDir)
  assert.equal(without.code, 3)
  assert.match(without.err, /environment Corridor-v0 is not registered here \(one of your own needs --env MODULE\)/)
  const joiner = TestDaemon.spawn(context, ['join', address!, '--env', EXAMPLE, '--wait-for-peers', '1'])
  await joiner.event('joined', 20_000)
  await joiner.event('solved', 60_000)
  assert.deepEqual(await Promise.all([joiner.terminate(), founder.terminate()]), [0, 0])
})
