/** One episode of a trained policy as pictures. */
import { rasterise } from '../envs/raster.ts'
import { makeEnv } from '../envs/registry.ts'
import type { PolicyFile } from '../ports/policy.ts'
import { GrapevineError } from '../util/errors.ts'
import type { ActOptions } from './trained-policy.ts'
import { policyOf } from './trained-policy.ts'

export interface PlayOptions {
  readonly deterministic: boolean
  readonly seed: number
  /** Pixels of one picture. */
  readonly width: number
  readonly height: number
  readonly maxFrames: number
}

/** RGB bytes [height, width, 3], one for each step and one before the first. Throws `no_picture` where the environment draws none. */
export function* playPictures(policy: PolicyFile, { deterministic, seed, width, height, maxFrames }: PlayOptions): Generator<Uint8Array> {
  const { id, options } = policy.facts.environment
  const acting = policyOf(policy)
  const environment = makeEnv(id, options)
  try {
    if (environment.render === undefined)
      throw new GrapevineError('no_picture', 'local', `Environment ${id} draws no pictures; leave out --gif.`)
    let { observation } = environment.reset({ seed })
    let how: ActOptions = { deterministic, seed }
    yield rasterise(environment.render(), width, height)
    for (let frame = 1; frame < maxFrames; frame++) {
      const step = environment.step(acting.act(observation, how))
      how = { deterministic }
      observation = step.observation
      yield rasterise(environment.render(), width, height)
      if (step.terminated || step.truncated) return
    }
  } finally {
    environment.close()
  }
}
