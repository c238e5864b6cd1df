import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'kernels-'))
after(() => rmSync(folder, { recursive: true }))

const SOURCE = join(import.meta.dirname, '../../src')

/** What an engine of that tree of sources throws. */
function refusal(source: string): { code: string; message: string } {
  const script = `
    const { createWasmEngine } = await import(${JSON.stringify(join(source, 'learn/engines/wasm.ts'))})
    try { createWasmEngine({ deterministic: false }) } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}

test('kernels that were never built, or from other sources, are named with the command that builds them', () => {
  cpSync(SOURCE, folder, { recursive: true, filter: (name) => !/\.wasm$|node_modules/.test(name) })
  const never = refusal(folder)
  assert.equal(never.code, 'kernels_missing')
  assert.match(never.message, /^The compiled kernels are missing at .*kernels-relaxed\.wasm; run npm run build:kernels\.$/)

  cpSync(join(SOURCE, 'kernels/kernels-relaxed.wasm'), join(folder, 'kernels/kernels-relaxed.wasm'))
  appendFileSync(join(folder, 'kernels/assembly/index.ts'), '// as git pull brings it\n')
  const stale = refusal(folder)
  assert.equal(stale.code, 'kernels_missing')
  assert.match(stale.message, /kernels-relaxed\.wasm were compiled from other sources than are here; run npm run build:kernels\.$/)
})
