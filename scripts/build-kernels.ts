/**
 * `npm run build:kernels`, also npm's prepare step: compiles src/kernels/assembly into kernels-relaxed.wasm, kernels-deterministic.wasm and
 * kernels-wide.wasm beside it (what sets them apart: assembly/simd.ts). Does nothing when all were made from these sources by this script. Leaves
 * with 1 and the compiler's words when the sources do not compile.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MEMORY_MAXIMUM_PAGES, RESERVED_BYTES } from '../src/kernels/limits.ts'
import { isFrom, sourcesDigest, withSources } from '../src/kernels/sources.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'src/kernels')

const builds = [
  { file: 'kernels-relaxed.wasm', flags: ['--enable', 'relaxed-simd', '--use', 'RELAXED=1', '--use', 'WIDE=0'] },
  { file: 'kernels-deterministic.wasm', flags: ['--use', 'RELAXED=0', '--use', 'WIDE=0'] },
  { file: 'kernels-wide.wasm', flags: ['--use', 'RELAXED=0', '--use', 'WIDE=1'] },
]

const flags = [
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'threads'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', String(MEMORY_MAXIMUM_PAGES)],
  // Constants of the compiler, if there are any, lie below the part of the memory that is handed out.
  ...['--memoryBase', String(RESERVED_BYTES / 2)],
]

const digest = sourcesDigest()!
const outdated = builds.filter(({ file }) => !isUpToDate(join(folder, file)))
for (const { file, flags: own } of outdated) await compile(file, own)
if (outdated.length > 0) console.log(`kernels: built ${outdated.map(({ file }) => file).join(', ')}`)

function isUpToDate(file: string): boolean {
  return existsSync(file) && isFrom(readFileSync(file), digest) && modified(file) >= modified(import.meta.filename)
}

function modified(file: string): number {
  return statSync(file).mtimeMs
}

async function compile(file: string, own: readonly string[]): Promise<void> {
  // Only now: loading the compiler takes longer than finding that there is nothing to do.
  const asc = await import('assemblyscript/asc')
  // Written beside its place and moved there, so that another process never reads half a file.
  const draft = `src/kernels/${file}.${process.pid}`
  const { error, stderr } = await asc.main(['src/kernels/assembly/index.ts', '--baseDir', root, ...flags, ...own, '-o', draft])
  if (error !== null) {
    rmSync(join(root, draft), { force: true })
    console.error(`kernels: ${file} does not compile\n${String(stderr)}`)
    process.exit(1)
  }
  writeFileSync(join(root, draft), withSources(readFileSync(join(root, draft)), digest))
  renameSync(join(root, draft), join(folder, file))
}
