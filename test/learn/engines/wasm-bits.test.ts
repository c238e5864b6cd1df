/**
 * The deterministic engine gives the same bits whatever V8 makes of the kernels: baseline or optimised code, with and without AVX and fused
 * multiply-add, wide or narrow tiles, Node 22 or Node 24 (the interpreter that NODE_24 names; CI sets it from the package node@24).
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const script = join(import.meta.dirname, '../../support/wasm-digest.ts')
const run = (node: string, flags: readonly string[]) =>
  JSON.parse(execFileSync(node, [...flags, script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as {
    readonly kernels: string
    readonly digest: string
  }

const expected = run(process.execPath, [])

for (const flags of [
  ['--liftoff-only'],
  ['--no-enable-avx2'],
  ['--no-enable-avx'],
  ['--no-enable-fma3'],
  ['--no-wasm-loop-unrolling', '--no-wasm-loop-peeling'],
  ['--turboshaft-wasm'],
]) {
  test(`the same bits with ${flags.join(' ')}`, () => {
    const found = run(process.execPath, flags)
    assert.equal(found.digest, expected.digest, `${found.kernels} kernels here, ${expected.kernels} without the flags`)
  })
}

const node24 = process.env.NODE_24
test('the same bits on Node 24', {
  skip: node24 === undefined && process.env.CI !== 'true' && 'set NODE_24 to the path of a Node 24, as .ci/run does',
}, () => {
  assert.equal(run(node24!, []).digest, expected.digest)
  assert.equal(run(node24!, ['--liftoff-only']).digest, expected.digest)
})
