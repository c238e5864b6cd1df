/** What the machine can do at most: `rounds` times eight independent multiply-adds of four lanes in registers, to set beside a kernel's speed. */
import { madd } from './simd'

export function peak(rounds: i32): f32 {
  const x = f32x4.splat(0.999)
  let c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x
  for (let i = 0; i < rounds; i++) {
    c0 = madd(c0, x, x)
    c1 = madd(c1, x, x)
    c2 = madd(c2, x, x)
    c3 = madd(c3, x, x)
    c4 = madd(c4, x, x)
    c5 = madd(c5, x, x)
    c6 = madd(c6, x, x)
    c7 = madd(c7, x, x)
  }
  const sum = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)))
  return f32x4.extract_lane(sum, 0)
}
