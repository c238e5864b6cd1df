/** Animated GIFs of a few colours, such as `rasterise` makes: each frame with a palette of its own. */
// A CommonJS package: its functions come as one object.
import gifenc from 'gifenc'

const { applyPalette, GIFEncoder, quantize } = gifenc

const MAX_COLOURS = 256

/** `frames`: RGB bytes [height, width, 3]; shown for `delayMs` each, over and over. */
export function encodeGif(frames: Iterable<Uint8Array>, width: number, height: number, delayMs: number): Uint8Array {
  const gif = GIFEncoder()
  const pixels = new Uint8Array(width * height * 4).fill(255)
  for (const rgb of frames) {
    for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) pixels[4 * i + c] = rgb[3 * i + c]!
    const palette = quantize(pixels, MAX_COLOURS)
    gif.writeFrame(applyPalette(pixels, palette), width, height, { palette, delay: delayMs })
  }
  gif.finish()
  return gif.bytes()
}
