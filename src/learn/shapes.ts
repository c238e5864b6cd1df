/** Checks that an array has the length its documentation states, before it is read or written. */
import { GrapevineError } from '../util/errors.ts'

/** Throws GrapevineError `shape` unless `array` holds exactly `length` elements. */
export function requireLength(name: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) {
    throw new GrapevineError('shape', 'local', `The array '${name}' has ${array.length} elements where ${length} are needed.`, {
      name,
      length: array.length,
      needed: length,
    })
  }
}

/** Throws GrapevineError `shape` unless `array` holds at least `length` elements. */
export function requireRoom(name: string, array: { readonly length: number }, length: number): void {
  if (array.length < length) {
    throw new GrapevineError('shape', 'local', `The array '${name}' has ${array.length} elements where at least ${length} are needed.`, {
      name,
      length: array.length,
      needed: length,
    })
  }
}
