/** Documents and files for other tools that are made from, or speak of, what the code measures. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { glossary } from '../../scripts/glossary.ts'
import { METRICS, type MetricSpec } from '../../src/observe/metric-specs.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('the glossary is what the code measures', () => {
  assert.equal(read('docs/metrics.md'), glossary(), 'run: node scripts/glossary.ts > docs/metrics.md')
})

test('names tell unit and kind, as Prometheus asks', () => {
  for (const [name, { kind, help }] of Object.entries(METRICS as Readonly<Record<string, MetricSpec>>)) {
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    assert.doesNotMatch(name, /_ms$|milliseconds|percent|kilo|mega/)
    assert.match(help, /^[A-Z0-9].*\.$/, name)
  }
})

test('Grafana’s dashboard asks for metrics that there are, with labels that they have', () => {
  const { panels } = JSON.parse(read('scripts/deploy/grafana.json')) as { panels: { targets: { expr: string; legendFormat: string }[] }[] }
  assert.ok(panels.length >= 12)
  for (const { expr } of panels.flatMap(({ targets }) => targets)) {
    const names = expr.match(/grapevine_\w+/g) ?? []
    assert.ok(names.length > 0, expr)
    for (const name of names) assert.ok(name.replace(/_bucket$/, '') in METRICS, `${name} in ${expr}`)
    for (const [, name = '', label = ''] of expr.matchAll(/(grapevine_\w+)\{(\w+)/g)) {
      assert.ok((METRICS as Readonly<Record<string, MetricSpec>>)[name]?.labels.includes(label), expr)
    }
  }
})
