/** The launcher in a source tree and in a built package, under the Node that runs the tests and under too old ones, faked and (where there is one) real. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'grapevine-launcher-'))
after(() => rmSync(folder, { recursive: true }))

/** A tree with nothing but the launcher, what it loads sources with, and a `main` that prints its arguments and answers 7. */
function tree(name: 'src' | 'lib', main: string, text: string): string {
  const cli = join(folder, name, 'cli')
  mkdirSync(cli, { recursive: true })
  copyFileSync(join(import.meta.dirname, '../../src/cli/grapevine.cjs'), join(cli, 'grapevine.cjs'))
  if (name === 'src') {
    mkdirSync(join(folder, 'src/node'), { recursive: true })
    copyFileSync(join(import.meta.dirname, '../../src/node/strip-cache.cjs'), join(folder, 'src/node/strip-cache.cjs'))
  }
  writeFileSync(join(cli, main), text)
  return join(cli, 'grapevine.cjs')
}

writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
const source = tree('src', 'main.ts', 'export const main = async (args: string[]): Promise<number> => (console.log(args.join()), 7)\n')
const built = tree('lib', 'main.js', 'export const main = async (args) => (console.log(args.join()), 7)\n')

/** A preload that makes Node say it is `version`. */
function pretend(version: string): string[] {
  const file = join(folder, `${version}.cjs`)
  writeFileSync(file, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })\n`)
  return ['--require', file]
}

function run(node: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('a Node that is new enough runs main with the arguments and leaves with its number', () => {
  assert.deepEqual(run(process.execPath, source, 'a', '--b'), { status: 7, stdout: 'a,--b\n', stderr: '' })
  assert.deepEqual(run(process.execPath, built, 'a', '--b'), { status: 7, stdout: 'a,--b\n', stderr: '' })
})

test('an older Node gets one sentence with both versions and the way out, and 2', () => {
  for (const version of ['8.17.0', '20.20.2', '22.17.1', '23.5.0']) {
    assert.deepEqual(run(process.execPath, ...pretend(version), source), {
      status: 2,
      stdout: '',
      stderr:
        `grapevine needs Node 22.18 or newer and was started by Node ${version}: start it through npm ` +
        '(npm start, or npm run grapevine -- COMMAND), which uses the Node that npm ci put in node_modules.\n',
    })
  }
  assert.deepEqual(run(process.execPath, ...pretend('21.7.3'), built), {
    status: 2,
    stdout: '',
    stderr: 'grapevine needs Node 22.0 or newer and was started by Node 21.7.3: install a newer Node from https://nodejs.org.\n',
  })
})

test('the lowest versions and all later ones will do', () => {
  for (const version of ['22.18.0', '23.6.0', '24.0.0', '26.1.0'])
    assert.equal(run(process.execPath, ...pretend(version), source).status, 7, version)
  for (const version of ['22.0.0', '22.17.1', '23.0.0', '24.0.0'])
    assert.equal(run(process.execPath, ...pretend(version), built).status, 7, version)
})

test('a main that fails leaves with 1 and says why', () => {
  const broken = tree('src', 'main.ts', "export const main = (): Promise<number> => Promise.reject(new Error('no luck'))\n")
  const { status, stderr } = run(process.execPath, broken)
  assert.equal(status, 1)
  assert.match(stderr, /^grapevine failed: Error: no luck\n/)
})

test('Ctrl-C while a daemon is being loaded leaves with 0; afterwards the daemon decides, and other commands break off', {
  skip: process.platform === 'win32',
}, async () => {
  const main = (first: string) => `export const main = (_: string[], takeOver: () => void): Promise<number> => {
    ${first}
    console.log('loading')
    return new Promise((resolve) => setTimeout(resolve, 60_000))
  }\n`
  const ended = async (launcher: string, command: string) => {
    const child = spawn(process.execPath, [launcher, command], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    return once(child, 'exit')
  }
  const loading = tree('src', 'main.ts', main(''))
  for (const command of ['start', 'join']) assert.deepEqual(await ended(loading, command), [0, null])
  assert.deepEqual(await ended(loading, 'status'), [null, 'SIGTERM'])
  assert.deepEqual(await ended(tree('src', 'main.ts', main('takeOver()')), 'start'), [null, 'SIGTERM'])
})

const older = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .map((entry) => join(entry, 'node'))
  .filter((file) => existsSync(file))
  .find((file) => Number(run(file, '-p', 'process.versions.node').stdout.split('.')[0]) < 22)

test('a real older Node gets the sentence, too', {
  skip: older === undefined && 'the PATH has no Node older than 22; the faked versions above stand in',
}, () => {
  const { status, stdout, stderr } = run(older!, source)
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^grapevine needs Node 22\.18 or newer and was started by Node [\d.]+: start it through npm .*\.\n$/)
})
