/**
 * Heads on one input share a matrix product: their columns lie side by side in a padded row. Callers see each head as [rows][size];
 * these copies translate. Policy and value as one product of eight columns cost what either would alone: apart they take 1.09 times as long for
 * forward passes of 1 to 320 rows of MLP 4-64-64, 1.1 for its update of 320, hardly more (1.02) for those of 17-256-256 and MinAtar.
 */

/** `size` floats of each row at `from` (stride in bytes) to consecutive floats at `to`. */
export function split(from: usize, stride: usize, to: usize, rows: i32, size: i32): void {
  for (let i = 0; i < rows; i++, from += stride) {
    for (let c = 0; c < size; c++, to += 4) store<f32>(to, load<f32>(from + (<usize>c << 2)))
  }
}

/** The way back. */
export function join(from: usize, to: usize, stride: usize, rows: i32, size: i32): void {
  for (let i = 0; i < rows; i++, to += stride) {
    for (let c = 0; c < size; c++, from += 4) store<f32>(to + (<usize>c << 2), load<f32>(from))
  }
}
