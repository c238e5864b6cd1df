/**
 * `npm run build [-- FOLDER]`: makes FOLDER (default dist) the publishable package: JavaScript, types and data files in lib/, and a package.json with
 * `engines` and without anything that only development needs. `npm pack ./dist` then makes the tarball. Leaves with 1 when a step fails.
 *
 * lib/ takes the place of src/, so that a path relative to a module (../../package.json) means the same in both trees.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const out = resolve(process.argv[2] ?? join(root, 'dist'))
/** JavaScript from rewriteRelativeImportExtensions needs no type stripping, so any Node 22 will do. */
const NODE_RANGE = '>=22'

/** What may be imported of the package, and the modules behind it. */
const ENTRIES = [
  ['.', 'index'],
  ['./policy', 'policy'],
] as const

rmSync(out, { recursive: true, force: true })
run('scripts/build-kernels.ts')
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', join(out, 'lib'))
pruneTypes()
// Data files: everything in src that is neither TypeScript, nor the sources of the kernels, nor there to load TypeScript.
const left = ['assembly', 'strip-cache.cjs', 'source-worker.cjs']
cpSync(join(root, 'src'), join(out, 'lib'), { recursive: true, filter: (path) => !path.endsWith('.ts') && !left.includes(basename(path)) })
writePackage()
for (const name of ['README.md', 'LICENSE']) copyFileSync(join(root, name), join(out, name))

function run(script: string, ...args: string[]): void {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`build: ${script} failed`)
    process.exit(1)
  }
}

/** Types of what no entry of the package leads to help nobody. */
function pruneTypes(): void {
  const lib = join(out, 'lib')
  const needed = new Set<string>()
  const waiting = ENTRIES.map(([, module]) => join(lib, `${module}.d.ts`))
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (needed.has(file) || !existsSync(file)) continue
    needed.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.(?:js|ts)['"]/g)) {
      waiting.push(`${resolve(dirname(file), path ?? '')}.d.ts`)
    }
  }
  for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.d.ts') && !needed.has(join(lib, name))) rmSync(join(lib, name))
  }
}

function writePackage(): void {
  const { name, version, description, license, type, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<string, unknown>
  const exports = Object.fromEntries(
    ENTRIES.map(([path, module]) => [path, { types: `./lib/${module}.d.ts`, default: `./lib/${module}.js` }]),
  )
  const bin = { grapevine: 'lib/cli/grapevine.cjs' }
  const engines = { node: NODE_RANGE }
  const manifest = { name, version, description, license, type, bin, exports, engines, dependencies, optionalDependencies }
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
