/**
 * Codecs by name: as manifests write them, as frames number them. Definitions are in average/codecs.ts.
 *
 * A manifest's name says which coordinates travel and in which format: `f32`, `f16` and `int8` send all; `subset:0.1:int8` a tenth of them,
 * drawn anew for each round; `fragment:8:f16` an eighth, one stretch after the other. Without a format after it, it is f32.
 */
import { MAX_FRAGMENTS, MIN_SUBSET_FRACTION } from './limits.ts'

const FORMATS = ['f32', 'f16', 'int8'] as const

/** How one value is written. */
export type FormatName = (typeof FORMATS)[number]

/** A name's place is its number on the wire: append only. */
const NAMES = ['f32', 'f16', 'int8', 'subset:f32', 'subset:f16', 'subset:int8', 'fragment:f32', 'fragment:f16', 'fragment:int8'] as const

/** A codec as frames name it; the fraction, or the number of fragments, is the manifest's. */
export type CodecName = (typeof NAMES)[number]

export interface CodecChoice {
  /** The one way to write it: what a manifest carries. */
  readonly name: string
  readonly id: CodecName
  readonly format: FormatName
  readonly coordinates:
    | { readonly kind: 'all' }
    | { readonly kind: 'subset'; readonly fraction: number }
    | { readonly kind: 'fragment'; readonly fragments: number }
}

export function codecNumber(name: CodecName): number {
  return NAMES.indexOf(name)
}

/** undefined: no codec of this version. */
export function codecName(number: number): CodecName | undefined {
  return NAMES[number]
}

/** How codecs may be named, for messages. */
export const CODEC_FORMS: readonly string[] = [...FORMATS, 'subset:FRACTION[:FORMAT]', 'fragment:COUNT[:FORMAT]']

/** null: no codec of this version. */
export function readCodecName(text: string): CodecChoice | null {
  const whole = FORMATS.find((format) => format === text)
  if (whole !== undefined) return { name: whole, id: whole, format: whole, coordinates: { kind: 'all' } }
  const [, kind, amount, named = 'f32'] = /^(subset|fragment):([0-9.]{1,12})(?::([a-z0-9]+))?$/.exec(text) ?? []
  const format = FORMATS.find((each) => each === named)
  if (kind === undefined || format === undefined) return null
  const number = Number(amount)
  const suffix = format === 'f32' ? '' : `:${format}`
  if (kind === 'subset') {
    if (!(number >= MIN_SUBSET_FRACTION && number < 1)) return null
    return { name: `subset:${number}${suffix}`, id: `subset:${format}`, format, coordinates: { kind, fraction: number } }
  }
  if (!(Number.isSafeInteger(number) && number >= 2 && number <= MAX_FRAGMENTS)) return null
  return { name: `fragment:${number}${suffix}`, id: `fragment:${format}`, format, coordinates: { kind: 'fragment', fragments: number } }
}
