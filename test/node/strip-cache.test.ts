/** A small source tree of its own, run by a Node of its own with the cache. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from './folder.ts'

const CACHE = join(import.meta.dirname, '../../src/node/strip-cache.cjs')

interface Tree {
  readonly cache: string
  write(name: string, source: string): void
  /** What `src/main.ts` printed. */
  run(): string
}

async function tree(t: TestContext): Promise<Tree> {
  const root = await temporaryFolder(t)
  mkdirSync(join(root, 'src/node'), { recursive: true })
  copyFileSync(CACHE, join(root, 'src/node/strip-cache.cjs'))
  return {
    cache: join(root, 'node_modules/.cache/grapevine'),
    write: (name, source) => writeFileSync(join(root, name), source),
    run() {
      const { stdout, stderr } = spawnSync(process.execPath, ['--require', './src/node/strip-cache.cjs', 'src/main.ts'], {
        cwd: root,
        encoding: 'utf8',
        env: {},
      })
      assert.equal(stderr, '')
      return stdout.trim()
    },
  }
}

function kept(cache: string): string[] {
  return readdirSync(cache).map((name) => join(cache, name))
}

test('modules of the tree run without their types, in the lines they were written in', async (t) => {
  const { write, run } = await tree(t)
  write(
    'src/line.ts',
    'interface Gone {\n  a: number\n}\nexport const line = (of: Error): string => /line\\.ts:(\\d+:\\d+)/.exec(of.stack!)![1]!\nexport const here: Error = new Error()',
  )
  write('src/main.ts', "import { here, line } from './line.ts'\nconsole.log(line(here))")
  assert.equal(run(), '5:28')
  assert.equal(run(), '5:28')
})

test('what was stripped is read again until its source changes', async (t) => {
  const { write, run, cache } = await tree(t)
  write('src/main.ts', "const said: string = 'one'\nconsole.log(said)")
  assert.equal(run(), 'one')
  const [path] = kept(cache) as [string]
  writeFileSync(path, readFileSync(path, 'utf8').replace('one', 'two'))
  assert.equal(run(), 'two')
  write('src/main.ts', "const said: string = 'three'\nconsole.log(said)")
  assert.equal(run(), 'three')
  assert.equal(kept(cache).length, 2)
})

test('a half of a file is not believed, and made anew', async (t) => {
  const { write, run, cache } = await tree(t)
  write('src/main.ts', "const said: string = 'whole'\nconsole.log(said)")
  run()
  const [path] = kept(cache) as [string]
  writeFileSync(path, "console.log('half')")
  assert.equal(run(), 'whole')
  assert.match(readFileSync(path, 'utf8'), /whole/)
})

test('where nothing can be kept the program runs all the same', async (t) => {
  const { write, run } = await tree(t)
  write('node_modules', 'no folder')
  write('src/main.ts', "const said: string = 'here'\nconsole.log(said)")
  assert.equal(run(), 'here')
  assert.equal(run(), 'here')
})
