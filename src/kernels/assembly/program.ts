/**
 * A whole forward or backward pass in one call: a list of steps in memory, and the loop that walks it. A call from JavaScript costs about 20 ns and
 * a tensor library's operation 3 to 10 microseconds; for the networks of reinforcement learning that is most of their time. A call per step
 * costs MLP 4-64-64's inference of 16 rows 3 % at most.
 *
 * The rows of a batch pass in chunks, each through all steps before the next begins, so that what one step writes is still in the cache when
 * the next reads it. All rows at once take 1.57 times as long for a MinAtar update of 2048 rows and 1.09 of 320, for MLP 17-256-256 1.28 of 2048, for
 * MLP 4-64-64 1.07; updates of both of 256 and 320 rows hardly more (1.04 and 1.02).
 */
import { activate, slope } from './activations'
import { conv } from './conv'
import { convInputGradient } from './conv-input-gradient'
import { convWeightGradient } from './conv-weight-gradient'
import { gemm } from './gemm'
import { join, split } from './heads'
import { findLive, liveInputGradient, liveWeightGradient } from './live'
import { layerNorm, layerNormGradient } from './layer-norm'
import { transpose } from './transpose'
import { columnSums, weightGradient } from './weight-gradient'

// What a step does. The numbers are those of STEP_KINDS in src/learn/engines/wasm-steps.ts.
const DENSE: i32 = 0
const CONV: i32 = 1
const NORM: i32 = 2
const ACTIVATE: i32 = 3
const SPLIT: i32 = 4
const VECTOR: i32 = 5
const TRANSPOSE: i32 = 6
const VECTOR_GRADIENT: i32 = 7
const JOIN: i32 = 8
const DENSE_WEIGHTS: i32 = 9
const DENSE_INPUT: i32 = 10
const CONV_WEIGHTS: i32 = 11
const CONV_INPUT: i32 = 12
const NORM_GRADIENT: i32 = 13
const SLOPE: i32 = 14
const LIVE: i32 = 15

/**
 * One step; the fields in the order of STEP_FIELDS in src/learn/engines/wasm-steps.ts. Addresses and strides are in bytes.
 * `batch` matrices hold all rows of the batch, `chunk` matrices the rows of the present chunk.
 */
@unmanaged
class Step {
  kind: i32
  /** Batch matrix that is read: a layer's input. 0: the observations. */
  source: usize
  sourceStride: usize
  /** Batch matrix of a layer's output (forward), or chunk matrix of the gradient there (backward). */
  target: usize
  targetStride: usize
  /** Chunk matrix of the gradient at a layer's input. 0: nobody needs it. */
  inner: usize
  innerStride: usize
  /** What was saved for the way back: SiLU's input, or a layer norm's statistics (stride below). */
  saved: usize
  savedStride: usize
  /** Byte offset in an arena, or the address of a transposed copy. */
  weights: usize
  bias: usize
  transposed: usize
  panelRows: i32
  depth: i32
  columns: i32
  /** Epilogue or activation. */
  mode: i32
  /** Whether `inner` is added to. */
  add: i32
  places: i32
  offsets: usize
  kernel: i32
  segment: i32
  imageRow: usize
  groups: i32
  width: i32
  /** Floats from one group to the next in `source`. */
  run: i32
  /** Block of a layer whose units without a gradient are left out (live.ts). 0: all take part. */
  live: usize
}

const STEP_BYTES: usize = offsetof<Step>()

/** Added to the variance by layer normalisation; LAYER_NORM_EPSILON of src/learn/layout.ts. */
const EPSILON: f32 = 1e-5

/**
 * Walks `once` steps at `steps` a single time and the `count` steps after them for each chunk of rows in [begin, end).
 * `gradient` is 0 in a forward pass.
 */
export function run(
  steps: usize,
  once: i32,
  count: i32,
  chunk: i32,
  parameters: usize,
  observations: usize,
  gradient: usize,
  begin: i32,
  end: i32,
): void {
  let at = steps
  for (let i = 0; i < once; i++, at += STEP_BYTES) walk(changetype<Step>(at), parameters, observations, gradient, begin, end - begin, 0)
  for (let row = begin; row < end; row += chunk) {
    const rows = min(chunk, end - row)
    at = steps + <usize>once * STEP_BYTES
    for (let i = 0; i < count; i++, at += STEP_BYTES) walk(changetype<Step>(at), parameters, observations, gradient, row, rows, i32(row > begin))
  }
}

function walk(s: Step, parameters: usize, observations: usize, gradient: usize, row: i32, rows: i32, accumulate: i32): void {
  const first = <usize>row
  const source = (s.source ? s.source : observations) + first * s.sourceStride
  const weights = parameters + s.weights
  const bias = parameters + s.bias
  const saved = s.saved + first * s.savedStride
  switch (s.kind) {
    case DENSE: {
      const target = s.target + first * s.targetStride
      gemm(source, s.sourceStride, weights, s.panelRows, bias, target, s.targetStride, rows, s.depth, s.columns, 0, s.mode, 0)
      break
    }
    case CONV: {
      const target = s.target + first * s.targetStride
      conv(source, s.sourceStride, weights, bias, target, s.targetStride, rows, s.places, s.offsets, s.kernel, s.segment, s.imageRow, s.columns, s.mode)
      break
    }
    case NORM: {
      const target = s.target + first * s.targetStride
      layerNorm(source, s.sourceStride, target, s.targetStride, weights, bias, saved, rows, s.groups, s.width, s.run, s.columns, EPSILON)
      break
    }
    case ACTIVATE:
      activate(source, s.target + first * s.targetStride, s.targetStride, rows, s.columns, s.mode)
      break
    case SPLIT:
      split(source, s.sourceStride, s.target + first * s.targetStride, rows, s.width)
      break
    case VECTOR:
      memory.copy(s.target, weights, <usize>s.width << 2)
      break
    case TRANSPOSE:
      transpose(weights, s.transposed, s.panelRows, s.columns)
      break
    case VECTOR_GRADIENT:
      memory.copy(gradient + s.weights, s.source, <usize>s.width << 2)
      break
    case JOIN:
      join(source, s.target, s.targetStride, rows, s.width)
      break
    case LIVE:
      findLive(s.target, s.targetStride, rows, s.columns, s.live)
      break
    case DENSE_WEIGHTS:
      if (s.live) {
        liveWeightGradient(
          source, s.sourceStride, s.target, s.targetStride, gradient + s.weights, gradient + s.bias,
          s.panelRows, rows, s.depth, s.columns, accumulate, s.live,
        )
        break
      }
      weightGradient(source, s.sourceStride, s.target, s.targetStride, gradient + s.weights, s.panelRows, rows, s.depth, s.columns, accumulate)
      columnSums(s.target, s.targetStride, gradient + s.bias, rows, s.columns, accumulate)
      break
    case DENSE_INPUT:
      // The slope of the layer below needs that layer's output, which is this layer's input and lies in rows of the same stride as `inner`.
      if (s.live) {
        liveInputGradient(
          s.target, s.targetStride, s.transposed, s.panelRows, s.inner, s.innerStride,
          rows, s.depth, s.columns, s.add, s.mode, source, s.live,
        )
        break
      }
      gemm(s.target, s.targetStride, s.transposed, s.panelRows, 0, s.inner, s.innerStride, rows, s.depth, s.columns, s.add, s.mode, source)
      break
    case CONV_WEIGHTS:
      convWeightGradient(
        source, s.sourceStride, s.target, s.targetStride, gradient + s.weights, gradient + s.bias,
        rows, s.places, s.offsets, s.kernel, s.segment, s.imageRow, s.columns, accumulate,
      )
      break
    case CONV_INPUT:
      if (!s.add) memory.fill(s.inner, 0, <usize>rows * s.innerStride)
      convInputGradient(
        s.target, s.targetStride, s.transposed, s.inner, s.innerStride,
        rows, s.places, s.offsets, s.kernel, s.segment, s.imageRow, s.columns,
      )
      break
    case NORM_GRADIENT:
      layerNormGradient(
        source, s.sourceStride, s.target, s.targetStride, s.inner, s.innerStride, weights, gradient + s.weights, gradient + s.bias,
        saved, rows, s.groups, s.width, s.run, s.columns, accumulate, s.add,
      )
      break
    case SLOPE:
      slope(s.target, saved, s.targetStride, rows, s.columns, s.mode)
      break
  }
}
