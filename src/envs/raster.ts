/**
 * Pictures as pixels: a pixel has the colour of the last shape that covers its centre. Without smoothing, so that an animation needs few
 * colours.
 */
import type { Colour, Picture, Shape } from './picture.ts'

/** RGB bytes [height, width, 3], top row first; the picture is stretched over all of them. */
export function rasterise(picture: Picture, width: number, height: number): Uint8Array {
  const canvas = new Canvas(picture, width, height)
  for (const shape of picture.shapes) canvas.paint(shape)
  return canvas.bytes
}

type Point = readonly [x: number, y: number]

class Canvas {
  readonly bytes: Uint8Array
  readonly #picture: Picture
  readonly #width: number
  readonly #height: number
  /** Units of the picture in one pixel. */
  readonly #dx: number
  readonly #dy: number

  constructor(picture: Picture, width: number, height: number) {
    this.#picture = picture
    this.#width = width
    this.#height = height
    this.#dx = (picture.right - picture.left) / width
    this.#dy = (picture.top - picture.bottom) / height
    this.bytes = new Uint8Array(width * height * 3)
    for (let y = 0; y < height; y++) this.#run(y, 0, width - 1, picture.background)
  }

  paint(shape: Shape): void {
    if (shape.kind === 'polygon') this.#polygon(shape.points, shape.colour)
    else if (shape.kind === 'circle') this.#circle(shape.x, shape.y, shape.radius, shape.colour)
    else this.#line(shape.points, shape.width, shape.colour)
  }

  /** Even-odd rule: each row of pixel centres is cut by the edges, and every second gap is inside. */
  #polygon(points: readonly Point[], colour: Colour): void {
    const ys = points.map(([, y]) => y)
    const [first, last] = this.#rows(Math.min(...ys), Math.max(...ys))
    for (let row = first; row <= last; row++) {
      const y = this.#centreY(row)
      const cuts: number[] = []
      for (const [i, [x1, y1]] of points.entries()) {
        const [x2, y2] = points[(i + 1) % points.length]!
        if (y1 <= y !== y2 <= y) cuts.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1))
      }
      cuts.sort((a, b) => a - b)
      for (let i = 0; i + 1 < cuts.length; i += 2) this.#span(row, cuts[i]!, cuts[i + 1]!, colour)
    }
  }

  #circle(x: number, y: number, radius: number, colour: Colour): void {
    const [first, last] = this.#rows(y - radius, y + radius)
    for (let row = first; row <= last; row++) {
      const off = this.#centreY(row) - y
      const half = Math.sqrt(Math.max(0, radius * radius - off * off))
      this.#span(row, x - half, x + half, colour)
    }
  }

  /** Each piece is a rectangle of the line's width (a pixel at least), with round joints. */
  #line(points: readonly Point[], width: number, colour: Colour): void {
    const half = Math.max(width, this.#dx, this.#dy) / 2
    for (let i = 0; i + 1 < points.length; i++) {
      const [x1, y1] = points[i]!
      const [x2, y2] = points[i + 1]!
      const length = Math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1))
      if (length === 0) continue
      const nx = (-(y2 - y1) / length) * half
      const ny = ((x2 - x1) / length) * half
      this.#polygon(
        [
          [x1 + nx, y1 + ny],
          [x2 + nx, y2 + ny],
          [x2 - nx, y2 - ny],
          [x1 - nx, y1 - ny],
        ],
        colour,
      )
      if (i > 0) this.#circle(x1, y1, half, colour)
    }
  }

  /** Rows whose centres may lie between two heights. */
  #rows(low: number, high: number): [number, number] {
    const first = Math.floor((this.#picture.top - high) / this.#dy)
    const last = Math.ceil((this.#picture.top - low) / this.#dy)
    return [Math.max(0, first), Math.min(this.#height - 1, last)]
  }

  #centreY(row: number): number {
    return this.#picture.top - (row + 0.5) * this.#dy
  }

  /** The pixels of a row whose centres lie in [from, to). */
  #span(row: number, from: number, to: number, colour: Colour): void {
    const first = Math.ceil((from - this.#picture.left) / this.#dx - 0.5)
    const last = Math.ceil((to - this.#picture.left) / this.#dx - 0.5) - 1
    this.#run(row, Math.max(0, first), Math.min(this.#width - 1, last), colour)
  }

  #run(row: number, first: number, last: number, colour: Colour): void {
    for (let at = (row * this.#width + first) * 3, end = (row * this.#width + last) * 3; at <= end; at += 3) {
      this.bytes[at] = colour >> 16
      this.bytes[at + 1] = (colour >> 8) & 0xff
      this.bytes[at + 2] = colour & 0xff
    }
  }
}
