/** A reader of Prometheus' text format 0.0.4, written from its description and stricter than most: any line that it does not know is an error. */
import assert from 'node:assert/strict'

export interface Family {
  readonly help: string
  readonly type: string
  readonly samples: { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/gy

/** By name. Throws where a sample comes before its type, belongs to no family, or comes twice. */
export function parsePrometheus(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'))
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let help: [string, string] | null = null
  let current: [string, Family] | null = null
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, helpName, helpText] = /^# HELP (\S+) (.*)$/.exec(line) ?? []
    const [, typeName, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? []
    if (helpName !== undefined && helpText !== undefined) help = [helpName, helpText]
    else if (typeName !== undefined && type !== undefined) {
      assert.equal(help?.[0], typeName)
      assert.ok(!families.has(typeName), `${typeName} twice`)
      current = [typeName, { help: help?.[1] ?? '', type, samples: [] }]
      families.set(...current)
    } else {
      const [, name, labelText = '', value] = SAMPLE.exec(line) ?? []
      assert.ok(name !== undefined && current !== null, `not understood: ${line}`)
      const [family, { samples, type: kind }] = current
      const names = kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => family + end) : [family]
      assert.ok(names.includes(name), `${name} among ${family}`)
      assert.ok(!seen.has(`${name}{${labelText}}`), `${line} twice`)
      seen.add(`${name}{${labelText}}`)
      const labels = [...labelText.matchAll(LABEL)]
      assert.equal(labels.map(([all]) => all).join(''), labelText)
      samples.push({ name, labels: Object.fromEntries(labels.map(([, label, of]) => [label, of])), value: Number(value) })
    }
  }
  return families
}
