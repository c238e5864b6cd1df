/**
 * Convolution with valid padding, and its gradients, straight on the image: no im2col copy, which for a 3x3 kernel would be nine times the image.
 *
 * Images are [height, width, channels] in a row of floats, with a stride in bytes from one image to the next; channels and filters are padded to
 * multiples of 8 (an observation's channels are not). A place is one position of the kernel; `offsets` [places, padded to a multiple of 4 by
 * repeating the last] holds the byte offset of its upper left corner in the image, so kernels know nothing of size, stride or width.
 * Under a place, each of the `kernel` rows is one run of `segment` = kernel * channels floats; runs are `imageRow` bytes apart.
 * W is packed like a dense layer's with depth = kernel * segment (see gemm). Outputs are [places][filters].
 */
import { finish } from './epilogue'
import { madd, splat, zero } from './simd'
import { put } from './weight-gradient'

export function conv(
  x: usize,
  xStride: usize,
  w: usize,
  bias: usize,
  y: usize,
  yStride: usize,
  images: i32,
  places: i32,
  offsets: usize,
  kernel: i32,
  segment: i32,
  imageRow: usize,
  filters: i32,
  epilogue: i32,
): void {
  const run = <usize>segment << 2
  const skip = imageRow - run
  const panel = <usize>(kernel * segment) << 5
  const place = <usize>filters << 2
  const lastPlace = <usize>(places - 1) * place
  for (let image = 0; image < images; image++, x += xStride, y += yStride) {
    for (let j = 0; j < filters; j += 8) {
      const wBegin = w + <usize>(j >> 3) * panel
      const column = <usize>j << 2
      const bias0 = v128.load(bias + column)
      const bias1 = v128.load(bias + column, 16)
      const yPanel = y + column
      // The same tile as in gemm: four places by eight filters.
      for (let i = 0; i < places; i += 4) {
        const at = offsets + (<usize>i << 2)
        let a0 = x + load<u32>(at), a1 = x + load<u32>(at, 4), a2 = x + load<u32>(at, 8), a3 = x + load<u32>(at, 12)
        let c00 = bias0, c01 = bias1, c10 = bias0, c11 = bias1, c20 = bias0, c21 = bias1, c30 = bias0, c31 = bias1
        let p = wBegin
        for (let row = 0; row < kernel; row++) {
          const end = a0 + run
          do {
            const w0 = v128.load(p)
            const w1 = v128.load(p, 16)
            let v = splat(a0)
            c00 = madd(v, w0, c00); c01 = madd(v, w1, c01)
            v = splat(a1)
            c10 = madd(v, w0, c10); c11 = madd(v, w1, c11)
            v = splat(a2)
            c20 = madd(v, w0, c20); c21 = madd(v, w1, c21)
            v = splat(a3)
            c30 = madd(v, w0, c30); c31 = madd(v, w1, c31)
            p += 32
            a0 += 4
            a1 += 4
            a2 += 4
            a3 += 4
          } while (a0 < end)
          a0 += skip
          a1 += skip
          a2 += skip
          a3 += skip
        }
        // Places past the last one were computed from its repeated offset: they land on it again.
        const y0 = <usize>i * place
        const y1 = min(y0 + place, lastPlace), y2 = min(y1 + place, lastPlace), y3 = min(y2 + place, lastPlace)
        v128.store(yPanel + y0, finish(c00, epilogue, 0)); v128.store(yPanel + y0, finish(c01, epilogue, 0), 16)
        v128.store(yPanel + y1, finish(c10, epilogue, 0)); v128.store(yPanel + y1, finish(c11, epilogue, 0), 16)
        v128.store(yPanel + y2, finish(c20, epilogue, 0)); v128.store(yPanel + y2, finish(c21, epilogue, 0), 16)
        v128.store(yPanel + y3, finish(c30, epilogue, 0)); v128.store(yPanel + y3, finish(c31, epilogue, 0), 16)
      }
    }
  }
}
