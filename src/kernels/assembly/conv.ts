/**
 * Convolution with valid padding, and its gradients, straight on the image: no im2col copy, which for a 3x3 kernel would be nine times the image.
 *
 * Images are [height, width, channels] in a row of floats, with a stride in bytes from one image to the next; channels and filters are padded to
 * multiples of 8 (an observation's channels are not). A place is one position of the kernel; `offsets` [places, padded to a multiple of 4 by
 * repeating the last] holds the byte offset of its upper left corner in the image, so kernels know nothing of size, stride or width.
 * Under a place, each of the `kernel` rows is one run of `segment` = kernel * channels floats; runs are `imageRow` bytes apart.
 * W is packed like a dense layer's with depth = kernel * segment (see gemm). Outputs are [places][filters].
 */
import { NONE, finish } from './epilogue'
import { BEFORE, high, low, madd, put, splat, zero } from './simd'

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
    let j = 0
    if (WIDE) {
      for (; j + 16 <= filters; j += 16) {
        const wBegin = w - BEFORE + <usize>(j >> 3) * panel
        const column = <usize>j << 2
        const bias0 = low(bias - BEFORE + column)
        const bias1 = high(bias - BEFORE + column)
        const bias2 = low(bias - BEFORE + column + 32)
        const bias3 = high(bias - BEFORE + column + 32)
        const yPanel = y - BEFORE + column
        for (let i = 0; i < places; i += 4) {
          const at = offsets + (<usize>i << 2)
          let a0 = x + load<u32>(at), a1 = x + load<u32>(at, 4), a2 = x + load<u32>(at, 8), a3 = x + load<u32>(at, 12)
          let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
          let c02 = zero(), c03 = c00, c12 = c00, c13 = c00, c22 = c00, c23 = c00, c32 = c00, c33 = c00
          let p = wBegin
          let q = p + panel
          for (let row = 0; row < kernel; row++) {
            const end = a0 + run
            do {
              const w0 = low(p)
              const w1 = high(p)
              const w2 = low(q)
              const w3 = high(q)
              let v = splat(a0)
              c00 = madd(v, w0, c00); c01 = madd(v, w1, c01); c02 = madd(v, w2, c02); c03 = madd(v, w3, c03)
              v = splat(a1)
              c10 = madd(v, w0, c10); c11 = madd(v, w1, c11); c12 = madd(v, w2, c12); c13 = madd(v, w3, c13)
              v = splat(a2)
              c20 = madd(v, w0, c20); c21 = madd(v, w1, c21); c22 = madd(v, w2, c22); c23 = madd(v, w3, c23)
              v = splat(a3)
              c30 = madd(v, w0, c30); c31 = madd(v, w1, c31); c32 = madd(v, w2, c32); c33 = madd(v, w3, c33)
              p += 32
              q += 32
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
          c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1); c02 = f32x4.add(c02, bias2); c03 = f32x4.add(c03, bias3)
          c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1); c12 = f32x4.add(c12, bias2); c13 = f32x4.add(c13, bias3)
          c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1); c22 = f32x4.add(c22, bias2); c23 = f32x4.add(c23, bias3)
          c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1); c32 = f32x4.add(c32, bias2); c33 = f32x4.add(c33, bias3)
          const y0 = yPanel + <usize>i * place
          const y1 = min(y0 + place, yPanel + lastPlace), y2 = min(y1 + place, yPanel + lastPlace), y3 = min(y2 + place, yPanel + lastPlace)
          if (epilogue == NONE) {
            put(y0, c00, c01); put(y0 + 32, c02, c03)
            put(y1, c10, c11); put(y1 + 32, c12, c13)
            put(y2, c20, c21); put(y2 + 32, c22, c23)
            put(y3, c30, c31); put(y3 + 32, c32, c33)
          } else {
            finish(y0, c00, c01, epilogue, 0); finish(y0 + 32, c02, c03, epilogue, 0)
            finish(y1, c10, c11, epilogue, 0); finish(y1 + 32, c12, c13, epilogue, 0)
            finish(y2, c20, c21, epilogue, 0); finish(y2 + 32, c22, c23, epilogue, 0)
            finish(y3, c30, c31, epilogue, 0); finish(y3 + 32, c32, c33, epilogue, 0)
          }
        }
      }
    }
    for (; j < filters; j += 8) {
      const wBegin = w - BEFORE + <usize>(j >> 3) * panel
      const column = <usize>j << 2
      const bias0 = low(bias - BEFORE + column)
      const bias1 = high(bias - BEFORE + column)
      const yPanel = y - BEFORE + column
      // The same tile as in gemm: four places by eight filters.
      for (let i = 0; i < places; i += 4) {
        const at = offsets + (<usize>i << 2)
        let a0 = x + load<u32>(at), a1 = x + load<u32>(at, 4), a2 = x + load<u32>(at, 8), a3 = x + load<u32>(at, 12)
        let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        let p = wBegin
        for (let row = 0; row < kernel; row++) {
          const end = a0 + run
          do {
            const w0 = low(p)
            const w1 = high(p)
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
        c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1)
        c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1)
        c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1)
        c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1)
        // Places past the last one were computed from its repeated offset: they land on it again.
        const y0 = yPanel + <usize>i * place
        const y1 = min(y0 + place, yPanel + lastPlace), y2 = min(y1 + place, yPanel + lastPlace), y3 = min(y2 + place, yPanel + lastPlace)
        if (epilogue == NONE) {
          put(y0, c00, c01)
          put(y1, c10, c11)
          put(y2, c20, c21)
          put(y3, c30, c31)
        } else {
          finish(y0, c00, c01, epilogue, 0)
          finish(y1, c10, c11, epilogue, 0)
          finish(y2, c20, c21, epilogue, 0)
          finish(y3, c30, c31, epilogue, 0)
        }
      }
    }
  }
}
