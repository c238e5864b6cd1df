/** A policy at one step of an episode that it plays for somebody who watches. Plain, cloneable, JSON. */
export interface PlayFrame {
  /** What the environment looks like (see `envs/picture.ts`); null where it cannot be drawn. */
  readonly picture: unknown
  /** What was chosen: an index, or the values of a continuous action. */
  readonly action: number | readonly number[]
  /** One for each choice, summing to 1; null for continuous actions and for value-based policies. */
  readonly probabilities: readonly number[] | null
  /** Of a continuous policy, for each dimension; null for the others. */
  readonly gaussian: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null
  /** The estimate of the return from here; null where the network has none. */
  readonly value: number | null
  /** Of a value-based policy: the estimate of each choice; null for the others. */
  readonly actionValues: readonly number[] | null
  /** Steps since the episode began. */
  readonly step: number
  /** Raw reward since the episode began. */
  readonly episodeReturn: number
  /** Episodes before this one. */
  readonly episode: number
  /** Updates behind the replica that plays. */
  readonly version: number
}
