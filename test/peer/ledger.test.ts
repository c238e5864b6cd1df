import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driftOf, Ledger, type LedgerEntry } from '../../src/peer/exchange/ledger.ts'
import { MAX_LEDGER_ENTRIES } from '../../src/peer/limits.ts'

const entry = (exchange: string, role: LedgerEntry['role'], applied: boolean, delta: number[] | null): LedgerEntry => ({
  exchange,
  partner: 'somebody',
  role,
  applied,
  norm: 1,
  delta: delta === null ? null : Float32Array.from(delta),
})

test('drift is what responders applied and their initiators did not', () => {
  const drift = driftOf(
    [
      // Both applied, and the responder does not know it yet.
      entry('a', 'responder', true, [1, 1]),
      entry('a', 'initiator', true, null),
      // The answer never came.
      entry('b', 'responder', true, [2, 0]),
      entry('b', 'initiator', false, null),
      // The initiator crashed.
      entry('c', 'responder', true, [0, -4]),
      // The commit never came.
      entry('d', 'initiator', false, null),
    ],
    2,
  )
  assert.deepEqual([...drift], [2, -4])
})

test('a ledger remembers the latest and counts all; a simulation forgets nothing', () => {
  for (const keeps of [false, true]) {
    const ledger = new Ledger(keeps)
    for (let i = 0; i < MAX_LEDGER_ENTRIES + 5; i++) ledger.add(entry(String(i), 'responder', true, null))
    assert.equal(ledger.entries.length, keeps ? MAX_LEDGER_ENTRIES + 5 : MAX_LEDGER_ENTRIES)
    assert.equal(ledger.count, MAX_LEDGER_ENTRIES + 5)
    assert.equal(ledger.norm, MAX_LEDGER_ENTRIES + 5)
  }
})
