/**
 * Running moments of observations or rewards as they travel behind parameters: one byte with their number, then for each the count of
 * samples (8 bytes), the number of values (4), and mean and M2 (sum of squared deviations) as float64.
 */
import type { Normaliser } from '../ports/learner.ts'
import type { Reader, Refusal, Writer } from './binary.ts'
import { MAX_NORMALISER_VALUES, MAX_NORMALISERS } from './limits.ts'

/** Bytes of the section for normalisers of these numbers of values. */
export function normaliserBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + 12 + 16 * size, 1)
}

export function writeNormalisers(writer: Writer, normalisers: readonly Normaliser[]): void {
  writer.u8(normalisers.length)
  for (const { count, mean, m2 } of normalisers) {
    writer.u53(count)
    writer.u32(mean.length)
    for (const value of mean) writer.f64(value)
    for (const value of m2) writer.f64(value)
  }
}

/** Refuses more than the limits, values that are not finite, and negative M2. */
export function readNormalisers(reader: Reader, refuse: Refusal): readonly Normaliser[] {
  const length = reader.u8()
  if (length > MAX_NORMALISERS) throw refuse(`it has ${length} normalisers, over the limit of ${MAX_NORMALISERS}`, false)
  const normalisers: Normaliser[] = []
  for (let i = 0; i < length; i++) {
    const count = reader.u53()
    const values = reader.u32()
    if (values > MAX_NORMALISER_VALUES) throw refuse(`a normaliser has ${values} values, over the limit of ${MAX_NORMALISER_VALUES}`, false)
    if (16 * values > reader.remaining) throw refuse('it ends within a normaliser', false)
    const mean = Float64Array.from({ length: values }, () => reader.f64())
    const m2 = Float64Array.from({ length: values }, () => reader.f64())
    if (!mean.every(Number.isFinite) || !m2.every((value) => Number.isFinite(value) && value >= 0)) {
      throw refuse('a normaliser holds values that no statistics can have', false)
    }
    normalisers.push({ count, mean, m2 })
  }
  return normalisers
}
