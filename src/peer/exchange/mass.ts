/** Where the weight of push-sum is, as one peer knows; for whoever checks that none is lost. */

/** Half of a replica on its way: w_r and z_r. */
export interface Push {
  /** Names it in the whole swarm. */
  readonly name: string
  readonly weight: number
  readonly values: Float32Array
}

export interface Mass {
  /** Of the own replica. */
  readonly weight: number
  /** Taken, and not mixed yet. */
  readonly arrived: readonly Push[]
  /** Sent, and not answered yet: on their way, unless the receiver has taken them. */
  readonly sent: readonly Push[]
  hasTaken(name: string): boolean
}
