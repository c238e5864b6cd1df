/**
 * What an environment looks like: a small display list in its own units, x to the right, y up. Painted in order, later shapes on top.
 * A page can draw it as SVG or on a canvas; `rasterise` turns it into pixels.
 */

/** 0xrrggbb */
export type Colour = number

export type Shape =
  | { readonly kind: 'polygon'; readonly points: readonly (readonly [x: number, y: number])[]; readonly colour: Colour }
  | { readonly kind: 'circle'; readonly x: number; readonly y: number; readonly radius: number; readonly colour: Colour }
  /** `width` in the picture's units. */
  | {
      readonly kind: 'line'
      readonly points: readonly (readonly [x: number, y: number])[]
      readonly width: number
      readonly colour: Colour
    }

export interface Picture {
  /** The visible part of the world. */
  readonly left: number
  readonly right: number
  readonly bottom: number
  readonly top: number
  readonly background: Colour
  readonly shapes: readonly Shape[]
}

/** An axis-parallel rectangle. */
export function box(left: number, bottom: number, right: number, top: number, colour: Colour): Shape {
  return {
    kind: 'polygon',
    points: [
      [left, bottom],
      [right, bottom],
      [right, top],
      [left, top],
    ],
    colour,
  }
}
