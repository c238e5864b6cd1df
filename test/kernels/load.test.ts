import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'kernels-'))
after(() => rmSync(folder, { recursive: true }))

test('kernels that were never built are named with the command that builds them', () => {
  const source = join(import.meta.dirname, '../../src')
  cpSync(source, folder, { recursive: true, filter: (name) => !/\.wasm$|node_modules/.test(name) })
  const script = `
    const { createWasmEngine } = await import(${JSON.stringify(join(folder, 'learn/engines/wasm.ts'))})
    try { createWasmEngine({ deterministic: false }) } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`
  const { code, message } = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
  assert.equal(code, 'kernels_missing')
  assert.match(message, /kernels-relaxed\.wasm; run npm run build:kernels\.$/)
})
