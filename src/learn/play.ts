/** One episode of a trained policy as pictures. */
import { rasterise } from '../envs/raster.ts'
import { makeEnv } from '../envs/registry.ts'
import type { PolicyFile } from '../ports/policy.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Engine } from './engine.ts'
import { type ActOptions, type Pass, policyOf } from './trained-policy.ts'

export interface PlayOptions {
  readonly deterministic: boolean
  readonly seed: number
  /** Pixels of one picture. */
  readonly width: number
  readonly height: number
  readonly maxFrames: number
}

/** A model of one's own runs on an engine alone. */
function passOf({ facts, parameters }: PolicyFile, engine: Engine): Pass {
  const network = engine.build(facts.network, 1)
  const arena = network.allocate()
  network.write(arena, parameters)
  return {
    run: (observation) => network.forward(arena, observation, 1),
    output: (name) => (network.outputs.some((output) => output.name === name) ? network.output(name) : null),
  }
}

/** `engine`: for a model of one's own. RGB bytes [height, width, 3], one for each step and one before the first. Throws `no_picture` where the environment draws none. */
export function* playPictures(
  policy: PolicyFile,
  engine: Engine,
  { deterministic, seed, width, height, maxFrames }: PlayOptions,
): Generator<Uint8Array> {
  const { id, options } = policy.facts.environment
  const acting = policyOf(policy, policy.facts.network.own === undefined ? undefined : passOf(policy, engine))
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
