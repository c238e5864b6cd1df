/** What normalises the input of a policy's network, in the network's own shape: for formats whose files hold nothing but a graph. */
import type { PolicyFacts } from '../../ports/policy.ts'

export interface InputNormalisation {
  readonly mean: readonly number[]
  /** 1 / deviation */
  readonly scale: readonly number[]
  readonly clip: number
}

/** In the order they are applied. Those before a stacking hold for each of the frames. */
export function inputNormalisations({ observe }: PolicyFacts): InputNormalisation[] {
  let found: InputNormalisation[] = []
  for (const stage of observe) {
    if (stage.kind === 'normalise') {
      const { mean, variance, epsilon, clip } = stage
      found.push({ mean, scale: variance.map((value) => 1 / Math.sqrt(value + epsilon)), clip })
    } else {
      const { frames, depth } = stage
      const each = (values: readonly number[]) => repeated(values, frames, depth)
      found = found.map(({ mean, scale, clip }) => ({ mean: each(mean), scale: each(scale), clip }))
    }
  }
  return found
}

/** Each run of `depth` values `frames` times. */
function repeated(values: readonly number[], frames: number, depth: number): number[] {
  return Array.from({ length: values.length / depth }, (_, cell) => values.slice(cell * depth, (cell + 1) * depth)).flatMap((run) =>
    Array.from({ length: frames }, () => run).flat(),
  )
}
