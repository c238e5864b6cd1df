/**
 * The published package: built, packed, installed from the tarball in an empty folder, and used from there. What npm prints and how long
 * it takes is its own; what counts is that the installed command trains.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'grapevine-pack-'))
const home = join(folder, 'home')
const installed = join(home, 'node_modules/grapevine-rl')
/** Ten seconds of training after the start. */
const TRAINING_MINUTES = 0.17
/** The tarball, in bytes: a third more than it has come to. */
const MAX_PACKED_BYTES = 750_000
/** For a machine of two cores with much else to do. */
const DEADLINE_MS = 90_000

/** Runs a command without the settings that an outer npm passes on, and with this Node first in the PATH. */
function run(command: string, args: readonly string[], cwd: string): string {
  const outer = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'))
  const env = { ...Object.fromEntries(outer), PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` }
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

interface Packed {
  readonly filename: string
  /** Bytes of the tarball, and of what it holds. */
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}
let packed: Packed

before(() => {
  run(process.execPath, [join(root, 'scripts/build.ts'), join(folder, 'package')], root)
  const report = run('npm', ['pack', '--json', '--pack-destination', folder, join(folder, 'package')], folder)
  packed = (JSON.parse(report) as Packed[])[0]!
  mkdirSync(home)
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed.filename)], home)
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('the tarball holds JavaScript, types and data files, and nothing of development', () => {
  const paths = packed.files.map((file) => file.path)
  for (const path of [
    'README.md',
    'LICENSE',
    'lib/cli/grapevine.cjs',
    'lib/cli/main.js',
    'lib/index.js',
    'lib/index.d.ts',
    'lib/observe/page/index.html',
    'lib/observe/report-page/page.css',
    'lib/observe/self-contained/plots.js',
    'lib/policy.js',
    'lib/policy.d.ts',
    'lib/kernels/kernels-wide.wasm',
    'lib/envs/bridge/bridge.py',
  ]) {
    assert.ok(paths.includes(path), `${path} is missing`)
  }
  const strangers = paths.filter(
    (path) => !/^(package\.json|README\.md|LICENSE|lib\/.*\.(js|d\.ts|cjs|json|wasm|py)|lib\/observe\/.*\.(html|css|svg))$/.test(path),
  )
  assert.deepEqual(strangers, [])
  // Types of what is public and of what they lead to, and of nothing else: commands and threads are not imported.
  assert.deepEqual(
    paths.filter((path) => /^lib\/(cli|node|swarm)\/.*\.d\.ts$/.test(path)),
    [],
  )
  assert.ok(packed.size < MAX_PACKED_BYTES, `${packed.size} bytes packed`)
  assert.ok(packed.unpackedSize < 4 * MAX_PACKED_BYTES, `${packed.unpackedSize} bytes unpacked`)
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.deepEqual(manifest.engines, { node: '>=22' })
  assert.deepEqual([manifest.scripts, manifest.devDependencies], [undefined, undefined])
  assert.equal(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines, undefined)
})

test('the installed command tells its version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal(run(join(home, 'node_modules/.bin/grapevine'), ['--version'], home).trim(), version)
})

test('the installed library loads, and its types check', () => {
  const program = join(home, 'program.mts')
  const lines = [
    "import { createPeer, makeEnv, type PeerEvent } from 'grapevine-rl'",
    "const { observation }: { observation: Float32Array } = makeEnv('CartPole-v1').reset({ seed: 1 })",
    "createPeer({ env: 'CartPole-v1' }).on((event: PeerEvent) => console.log(event.event))",
    'console.log(String(observation.length))',
  ]
  writeFileSync(program, lines.join('\n'))
  assert.equal(run(process.execPath, [program], home).trim(), '4')
  // TensorFlow.js's own types, which a network of one's own leads to, do not check by themselves.
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  const types = ['--typeRoots', join(root, 'node_modules/@types')]
  assert.equal(run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...types, program], home), '')
})

test('the installed command trains for ten seconds and leaves', async (context) => {
  const args = ['start', '--until', `minutes=${TRAINING_MINUTES}`]
  const daemon = TestDaemon.spawn(context, args, { launcher: join(installed, 'lib/cli/grapevine.cjs') })
  const { addresses } = await daemon.event('listening', DEADLINE_MS)
  assert.match(addresses[0]!, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW\w+$/)
  const stopped = await daemon.event('stopped', DEADLINE_MS)
  const last = daemon.all('stats').at(-1)!
  assert.ok(last.steps > 1000 && last.updates > 10 && last.episodes > 10, JSON.stringify(last))
  assert.ok(last.returnMean! > 9, 'no return of CartPole is below 9 on average')
  assert.ok(stopped.steps >= last.steps)
  assert.deepEqual(await daemon.ended, { code: 0, signal: null })
})
