/** Small things that the tests of this folder share. */
import assert from 'node:assert/strict'
import type { Trajectory } from '../../src/learn/returns.ts'

/** Every element within `absolute` + `relative` * |expected|. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-5, absolute = 1e-6): void {
  assert.equal(actual.length, expected.length, 'length')
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!)
    assert.ok(error <= absolute + relative * Math.abs(expected[i]!), `element ${i}: ${actual[i]} instead of ${expected[i]}`)
  }
}

/** [T][B] as one row-major array. */
export function flat(rows: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(rows.flat())
}

/** [B][T] (one list per sequence, as rlax writes them) as [T, B]. */
export function columns(sequences: readonly (readonly number[])[]): Float32Array {
  const length = sequences[0]!.length
  return Float32Array.from(Array.from({ length }, (_, t) => sequences.map((sequence) => sequence[t]!)).flat())
}

/** A trajectory without truncations, from [B][T] lists; `nextValues` are the values of the following steps and then `bootstrap`, unless given. */
export function trajectoryOf(parts: {
  readonly rewards: readonly (readonly number[])[]
  readonly discounts: readonly (readonly number[])[]
  readonly values?: readonly (readonly number[])[]
  readonly bootstrap?: readonly number[]
  readonly nextValues?: readonly (readonly number[])[]
}): Trajectory {
  const { rewards, discounts, bootstrap } = parts
  const values = parts.values ?? rewards.map((sequence) => sequence.map(() => 0))
  const nextValues = parts.nextValues ?? values.map((sequence, b) => [...sequence.slice(1), bootstrap![b]!])
  const steps = rewards[0]!.length
  return {
    steps,
    environments: rewards.length,
    rewards: columns(rewards),
    discounts: columns(discounts),
    truncated: new Uint8Array(steps * rewards.length),
    values: columns(values),
    nextValues: columns(nextValues),
  }
}
