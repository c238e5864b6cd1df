import assert from 'node:assert/strict'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programWords } from '../../src/cli/program-words.ts'
import { temporaryFolder } from '../node/folder.ts'

/** A machine with a launcher, a Node, and a folder in PATH where both may be linked. */
async function machine(context: TestContext) {
  const root = await temporaryFolder(context)
  const [launcher, node, bin] = [join(root, 'my lib', 'grapevine.cjs'), join(root, 'node-22', 'node'), join(root, 'bin')]
  for (const folder of ['my lib', 'node-22', 'bin']) await mkdir(join(root, folder))
  for (const file of [launcher, node]) {
    await writeFile(file, '')
    await chmod(file, 0o755)
  }
  return { root, launcher, node, bin, env: { PATH: ['/nowhere', bin].join(delimiter) } }
}

const unix = { skip: process.platform === 'win32' }

test('started through npm in a clone: through npm', () => {
  const env = { npm_package_name: 'grapevine-rl', npm_lifecycle_event: 'start' }
  assert.equal(programWords({ env, launcher: '/x/src/cli/grapevine.cjs', node: '/x/node', cwd: '/x' }), 'npm run grapevine --')
})

test('installed where the shell finds it: by its name', unix, async (context) => {
  const { root, launcher, node, bin, env } = await machine(context)
  await symlink(launcher, join(bin, 'grapevine'))
  assert.equal(programWords({ env, launcher, node, cwd: root }), 'grapevine')
  assert.equal(programWords({ env, launcher: join(bin, 'grapevine'), node, cwd: root }), 'grapevine')
})

test('another program of that name is not taken for ours', unix, async (context) => {
  const { root, launcher, node, bin, env } = await machine(context)
  await writeFile(join(bin, 'grapevine'), '')
  await symlink(node, join(bin, 'node'))
  assert.equal(programWords({ env, launcher, node, cwd: root }), "node 'my lib/grapevine.cjs'")
})

test('by path, with the Node that runs it where the shell would find another', unix, async (context) => {
  const { root, launcher, node, env } = await machine(context)
  assert.equal(programWords({ env, launcher, node, cwd: join(root, 'my lib') }), `${node} grapevine.cjs`)
  assert.equal(programWords({ env, launcher, node, cwd: '/usr/lib' }), `${node} '${launcher}'`)
})

test('what npm exec put into PATH is gone when the line is pasted', unix, async (context) => {
  const { root, launcher, node, bin, env } = await machine(context)
  await symlink(launcher, join(bin, 'grapevine'))
  assert.equal(programWords({ env: { ...env, npm_command: 'exec' }, launcher, node, cwd: root }), `${node} 'my lib/grapevine.cjs'`)
})
