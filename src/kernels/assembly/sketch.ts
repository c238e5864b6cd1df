/**
 * Count-sketch [Charikar, Chen, Farach-Colton 2002]: each of `count` floats is added to one of many sums. `table` names the sum for each
 * (16 bits); a caller that keeps twice as many sums as buckets, the second half to be subtracted, has signs without a branch.
 * `sums` are doubles and are added to.
 */
export function countSketch(x: usize, table: usize, sums: usize, count: i32): void {
  for (const end = x + (<usize>count << 2); x < end; x += 4, table += 2) {
    const sum = sums + (<usize>load<u16>(table) << 3)
    store<f64>(sum, load<f64>(sum) + <f64>load<f32>(x))
  }
}
