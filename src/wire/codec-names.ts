/** Codecs by name, and their numbers on the wire. Definitions are in average/codecs.ts. */

/** A name's place is its number on the wire: append only. */
const NAMES = ['f32', 'f16'] as const

export type CodecName = (typeof NAMES)[number]

export function codecNumber(name: CodecName): number {
  return NAMES.indexOf(name)
}

/** undefined: no codec of this version. */
export function codecName(number: number): CodecName | undefined {
  return NAMES[number]
}
