/** Python reads what we export, with the libraries of others. Skipped, and said so, where python3 lacks them; never in CI, which installs them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeOnnx } from '../../src/learn/exports/onnx.ts'
import { layout } from '../../src/learn/layout.ts'
import { policyTensors } from '../../src/store/policy-file.ts'
import { sealTensors } from '../../src/wire/sealed-tensors.ts'
import { imports } from '../envs/bridge/support.ts'
import { facts, NETWORKS, reference } from '../support/exported.ts'

const TOLERANCE = 1e-5

function withoutLibraries(): string | false {
  if (process.env.CI === 'true' || imports('numpy, onnxruntime, safetensors')) return false
  return 'python3 cannot import numpy, onnxruntime and safetensors; install them with: pip install numpy onnxruntime safetensors'
}

test('ONNX Runtime and safetensors in Python give our outputs within 1e-5', { skip: withoutLibraries() }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-python-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const cases = []
  for (const [name, spec] of Object.entries(NETWORKS)) {
    const { parameters, observations, outputs } = await reference(spec)
    const policy = { facts: facts(spec), parameters }
    writeFileSync(join(folder, `${name}.onnx`), encodeOnnx(policy))
    writeFileSync(join(folder, `${name}.safetensors`), sealTensors(policyTensors(policy, layout(spec).slices)))
    const values = Object.fromEntries(Object.entries(outputs).map(([output, array]) => [output, [...array]]))
    const files = { onnx: `${name}.onnx`, safetensors: `${name}.safetensors` }
    cases.push({ name, input: spec.input, ...files, observations: [...observations], outputs: values })
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
  const report = JSON.parse(execFileSync('python3', [join(import.meta.dirname, 'exports.py'), folder], { encoding: 'utf8' })) as Readonly<
    Record<string, Readonly<Record<'onnx' | 'safetensors', Readonly<Record<string, number>>>>>
  >
  assert.deepEqual(Object.keys(report), ['MLP', 'conv', 'dueling', 'Gaussian'])
  for (const { name, outputs } of cases) {
    for (const format of ['onnx', 'safetensors'] as const) {
      const differences = report[name]![format]
      assert.deepEqual(Object.keys(differences), Object.keys(outputs))
      for (const [output, difference] of Object.entries(differences)) {
        assert.ok(difference <= TOLERANCE, `${output} of ${name} through ${format} is off by ${difference}`)
      }
      context.diagnostic(`${name}, ${format}: at most ${Math.max(...Object.values(differences)).toExponential(1)}`)
    }
  }
})
