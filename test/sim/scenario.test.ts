import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_SCENARIO_STEPS } from '../../src/sim/limits.ts'
import { readScenario } from '../../src/sim/scenario.ts'
import { GrapevineError } from '../../src/util/errors.ts'

test('steps are read with their units, peers and defaults', () => {
  const text = `
- { at: 0, do: loss, probability: 0.25 }
- at: 1.5s
  do: partition
  peers: [0-2, 5]
  direction: out
  for: 2min
- { at: 1.5s, do: latency, peers: 1, latency: 10ms-1s }
- { at: 1h, do: bandwidth, rate: 8 Mbit/s }
- { at: 1h, do: skew, peers: 3, by: -90s }
- { at: 1h, do: heal }
`
  assert.deepEqual(readScenario(text, 'x.yaml', 6), [
    { at: 0, do: 'loss', probability: 0.25 },
    { at: 1_500, do: 'partition', peers: [0, 1, 2, 5], direction: 'out', for: 120_000 },
    { at: 1_500, do: 'latency', peers: [1], latency: [10, 1_000] },
    { at: 3_600_000, do: 'bandwidth', rate: 1_000 },
    { at: 3_600_000, do: 'skew', peers: [3], by: -90 },
    { at: 3_600_000, do: 'heal' },
  ])
})

test('all faults of a scenario are told at once, each with its line', () => {
  const text = `- { at: 2s, do: partitoin, peers: 0-3 }
- at: 3 parsec
  do: crash
  peers: 70
- { at: 1s, do: pause, peers: 1 }
- { at: 60s, do: loss, probability: 1.3, foo: 1 }
- hello
- { do: heal }
- { at: 61s, do: reorder, probability: 0.5, late: 5 }
- { at: 61s, do: earthquake }
`
  assert.throws(
    () => readScenario(text, 'bad.yaml', 4),
    (error: unknown) => {
      assert.ok(error instanceof GrapevineError)
      assert.equal(error.code, 'scenario')
      assert.deepEqual(error.message.split('\n'), [
        'bad.yaml, line 1: "partitoin" is no fault known here; did you mean partition?',
        'bad.yaml, line 2: "at" must be a time with one of the units ms, s, min, h, not "3 parsec".',
        'bad.yaml, line 4: "peers" names peer 70, and there are 0 to 3.',
        'bad.yaml, line 5: "for" is missing.',
        'bad.yaml, line 5: The times go back: this step is at "1s", after a later one.',
        'bad.yaml, line 6: "probability" must be a probability from 0 to below 1, not 1.3.',
        'bad.yaml, line 6: "foo" is no part of this step.',
        'bad.yaml, line 7: A step is a map with at, do and what belongs to it.',
        'bad.yaml, line 8: "at" is missing.',
        'bad.yaml, line 9: "late" must be a time such as 20ms, 1.5s or 2min, not 5.',
        'bad.yaml, line 10: "earthquake" is no fault known here; there are partition, flap, half-open, heal, crash, restart, pause, slow, latency, bandwidth, loss, duplicate, reorder, skew.',
      ])
      return true
    },
  )
})

test('what is no list, and what is no YAML', () => {
  assert.throws(() => readScenario('do: crash', 'a.yaml', 2), /^GrapevineError: a\.yaml, line 1: A scenario is a list of steps/)
  const many = '- { at: 1s, do: heal }\n'.repeat(MAX_SCENARIO_STEPS + 1)
  assert.throws(() => readScenario(many, 'a.yaml', 2), {
    message: `a.yaml, line 1: It has ${MAX_SCENARIO_STEPS + 1} steps; at most ${MAX_SCENARIO_STEPS} are run.`,
  })
  assert.throws(() => readScenario('- { at: 1s,\n- [', 'a.yaml', 2), /a\.yaml, line 2: /)
})
