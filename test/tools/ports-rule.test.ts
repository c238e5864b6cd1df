/** The ports rule of DESIGN section 3, proved on small violations: each must fail `biome check` in pure code and pass where the world may be met. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '../..')

const FORBIDDEN: readonly string[] = [
  'setTimeout(() => {}, 1)\n',
  'setInterval(() => {}, 1)\n',
  'setImmediate(() => {})\n',
  'queueMicrotask(() => {})\n',
  'globalThis.setTimeout(() => {}, 1)\n',
  'export const now = Date.now()\n',
  'export const now = new Date()\n',
  'export const now = performance.now()\n',
  'export const chance = Math.random()\n',
  'export const y = Math.sin(1)\n',
  'export const y = Math.cos(1)\n',
  'export const y = Math.exp(1)\n',
  'export const y = Math.log(2)\n',
  'export const y = Math.pow(2, 0.5)\n',
  'export const y = 2 ** 0.5\n',
  'export const y = Math.tanh(1)\n',
  'export const ys = [1, 2].map(Math.exp)\n',
  'const { random } = Math\n\nexport const chance = random()\n',
  'const maths = Math\n\nexport const chance = maths.random()\n',
  'export const signal = AbortSignal.timeout(5)\n',
  "export const digest = crypto.subtle.digest('SHA-256', new Uint8Array(1))\n",
  "export const page = fetch('http://localhost')\n",
  'export const home = process.env.HOME\n',
  "import { readFileSync } from 'node:fs'\n\nexport const read = readFileSync\n",
  "export const files = import('node:fs')\n",
  "import { setTimeout as sleep } from 'node:timers/promises'\n\nexport const wait = sleep(1)\n",
  "import { Worker } from 'node:worker_threads'\n\nexport const thread = Worker\n",
  "import { randomBytes } from 'node:crypto'\n\nexport const chance = randomBytes(4)\n",
]

const ALLOWED: readonly string[] = [
  'export const y = Math.max(1, Math.floor(Math.sqrt(2))) * Math.PI\n',
  "import { createHash } from 'node:crypto'\n\nexport const digest = createHash('sha256')\n",
  'export const sleep = (clock: { sleep(ms: number): Promise<void> }) => clock.sleep(5)\n',
]

const PURE = ['src/peer', 'src/average', 'src/wire', 'src/learn', 'src/envs']
const EXEMPT = ['src/node', 'src/envs/bridge']

const folder = mkdtempSync(join(tmpdir(), 'grapevine-ports-rule-'))
after(() => rmSync(folder, { recursive: true }))

function put(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** Paths with at least one error, below `folder`. */
function faulty(): Set<string> {
  const biome = spawnSync(
    process.execPath,
    [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'lint', '--reporter=json', '--max-diagnostics=none', '.'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  assert.equal(biome.status, 1, biome.stderr)
  const report = JSON.parse(biome.stdout) as { diagnostics: { severity: string; category: string; location: { path: string } }[] }
  return new Set(report.diagnostics.filter((entry) => entry.severity === 'error').map((entry) => entry.location.path))
}

test('pure code that meets the world fails the lint, everything else passes', () => {
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'))
  cpSync(join(root, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true })
  const expected: string[] = []
  FORBIDDEN.forEach((text, index) => {
    for (const pure of PURE) {
      put(`${pure}/forbidden-${index}.ts`, text)
      expected.push(`${pure}/forbidden-${index}.ts`)
    }
    for (const exempt of EXEMPT) put(`${exempt}/forbidden-${index}.ts`, text)
  })
  ALLOWED.forEach((text, index) => {
    for (const pure of PURE) put(`${pure}/allowed-${index}.ts`, text)
  })
  put('src/peer/daemon.ts', FORBIDDEN.filter((text) => !/import|export|const/.test(text)).join(''))
  const found = faulty()
  const show = (path: string): string => `${path}: ${FORBIDDEN[Number(/\d+/.exec(path)?.[0])]}`
  assert.deepEqual(expected.filter((path) => !found.has(path)).map(show), [], 'forbidden, yet it passed')
  assert.deepEqual([...found].filter((path) => !expected.includes(path)).map(show), [], 'allowed, yet it failed')
})
