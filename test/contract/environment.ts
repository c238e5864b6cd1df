/**
 * What every environment promises, built-in, bridged or a user's own: one suite over the registry. `environmentContract` is called once for
 * each id; the environment must be registered. Steps are few, so that slow environments fit.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateActions, allocateBuffers } from '../../src/envs/buffers.ts'
import { checkEnvironment } from '../../src/envs/check.ts'
import { findEnvironment, makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'
import { sampleAction, sizeOf, whyOutside } from '../../src/envs/spaces.ts'
import type { VectorBuffers, VectorEnvironment } from '../../src/envs/types.ts'
import { seededRandom } from '../../src/util/random.ts'

export interface ContractOptions {
  readonly options?: Readonly<Record<string, unknown>>
  /** Vector steps of each test. */
  readonly steps?: number
}

const ENVIRONMENTS = 3

/** A vector environment with everything to step it by random actions. */
class Player {
  readonly env: VectorEnvironment
  readonly out: VectorBuffers
  readonly actions: Int32Array | Float32Array
  readonly #random
  readonly #width: number

  constructor(env: VectorEnvironment, seed: number) {
    this.env = env
    this.out = allocateBuffers(env)
    this.actions = allocateActions(env.actionSpace, env.count)
    this.#random = seededRandom(seed, 'actions')
    this.#width = sizeOf(env.actionSpace)
    env.reset(seed, this.out.observations)
  }

  step(): void {
    for (let row = 0; row < this.env.count; row++) {
      const action = sampleAction(this.env.actionSpace, this.#random)
      if (typeof action === 'number') this.actions[row] = action
      else this.actions.set(action, row * this.#width)
    }
    this.env.step(this.actions, this.out)
  }

  ended(row: number): boolean {
    return (this.out.terminated[row]! | this.out.truncated[row]!) !== 0
  }

  row(values: Float32Array, row: number): Float32Array {
    const width = sizeOf(this.env.observationSpace)
    return values.slice(row * width, (row + 1) * width)
  }
}

export function environmentContract(id: string, { options = {}, steps = 300 }: ContractOptions = {}): void {
  const { agents = 1, maxEpisodeSteps } = findEnvironment(id)
  const start = (seed: number): Player => new Player(makeVectorEnv(id, ENVIRONMENTS, options), seed)

  test(`${id}: the scalar form keeps the contract`, () => {
    assert.deepEqual(
      checkEnvironment(() => makeEnv(id, options)),
      [],
    )
  })

  test(`${id}: observations stay in their space and episodes within their limit`, () => {
    const player = start(11)
    const { env, out } = player
    assert.equal(env.count, ENVIRONMENTS * agents)
    const lengths = new Int32Array(env.count)
    for (let i = 0; i < steps; i++) {
      player.step()
      for (let row = 0; row < env.count; row++) {
        assert.equal(whyOutside(env.observationSpace, player.row(out.observations, row)), null)
        assert.ok(Number.isFinite(out.rewards[row]))
        lengths[row]! += 1
        if (out.truncated[row] === 1) assert.equal(lengths[row], maxEpisodeSteps)
        if (!player.ended(row)) continue
        assert.equal(whyOutside(env.observationSpace, player.row(out.finalObservations, row)), null)
        assert.ok(maxEpisodeSteps === null || lengths[row]! <= maxEpisodeSteps)
        lengths[row] = 0
      }
    }
    env.close()
  })

  test(`${id}: one seed, one story`, () => {
    const one = start(5)
    const two = start(5)
    for (let i = 0; i < steps; i++) {
      one.step()
      two.step()
      assert.deepEqual(two.out, one.out)
    }
    one.env.close()
    two.env.close()
  })

  if (agents === 1) {
    test(`${id}: a row of the vector form is the scalar form`, () => {
      const player = start(21)
      const { env, out } = player
      const singles = Array.from({ length: env.count }, () => makeEnv(id, options))
      for (const [row, single] of singles.entries()) {
        assert.deepEqual(single.reset({ seed: 21 + row }).observation, player.row(out.observations, row))
      }
      const width = sizeOf(env.actionSpace)
      for (let i = 0; i < steps; i++) {
        player.step()
        for (const [row, single] of singles.entries()) {
          const { actions } = player
          const action = actions instanceof Int32Array ? actions[row]! : actions.slice(row * width, (row + 1) * width)
          const result = single.step(action)
          assert.equal(Math.fround(result.reward), out.rewards[row])
          assert.equal(result.terminated, out.terminated[row] === 1)
          assert.equal(result.truncated, out.truncated[row] === 1)
          const ended = player.ended(row)
          assert.deepEqual(result.observation, player.row(ended ? out.finalObservations : out.observations, row))
          if (ended) assert.deepEqual(single.reset().observation, player.row(out.observations, row))
        }
      }
      env.close()
      for (const single of singles) single.close()
    })
  }

  test(`${id}: a restored state goes on as the saved one`, () => {
    const one = start(31)
    const two = start(32)
    const { saveState } = one.env
    if (saveState === undefined) return
    for (let i = 0; i < steps / 4; i++) one.step()
    two.env.restoreState!(saveState.call(one.env))
    for (let i = 0; i < steps / 2; i++) {
      one.step()
      two.env.step(one.actions, two.out)
      assert.deepEqual(two.out.observations, one.out.observations)
      assert.deepEqual(two.out.rewards, one.out.rewards)
      assert.deepEqual(two.out.truncated, one.out.truncated)
    }
    assert.throws(() => two.env.restoreState!(new Uint8Array(3)), {
      code: 'state',
      message:
        /^A saved (environment state has 3 bytes where \d+ were expected: it was saved by another environment, count or version|state does not hold one part for each environment: it was saved by another count or version)\.$/,
    })
    one.env.close()
    two.env.close()
  })

  test(`${id}: restart begins new episodes in the flagged rows alone`, () => {
    const player = start(41)
    const { env, out } = player
    if (env.restart === undefined) return
    for (let i = 0; i < 5; i++) player.step()
    const before = out.observations.slice()
    const flags = new Uint8Array(env.count)
    flags.fill(1, agents, 2 * agents)
    env.restart(flags, out.observations)
    for (let row = 0; row < env.count; row++) {
      if (flags[row] === 0) assert.deepEqual(player.row(out.observations, row), player.row(before, row))
      else assert.equal(whyOutside(env.observationSpace, player.row(out.observations, row)), null)
    }
    env.close()
  })

  test(`${id}: arrays and actions that do not fit are refused`, () => {
    const player = start(51)
    const { env, out } = player
    assert.throws(() => env.step(player.actions.subarray(1), out), {
      code: 'shape',
      message: /^A step wants its actions as (Int32|Float32)Array of length \d+, but got \1Array of length \d+\.$/,
    })
    const wrong = player.actions.slice()
    wrong[0] = env.actionSpace.kind === 'discrete' ? env.actionSpace.n : Number.NaN
    assert.throws(() => env.step(wrong, out), { code: 'action' })
    env.close()
  })

  test(`${id}: its picture has finite coordinates`, () => {
    const player = start(61)
    if (player.env.render === undefined) return
    for (let i = 0; i < 20; i++) player.step()
    for (const shape of player.env.render(0).shapes) {
      const numbers = shape.kind === 'circle' ? [shape.x, shape.y, shape.radius] : shape.points.flat()
      assert.ok(numbers.every(Number.isFinite))
      assert.ok(Number.isInteger(shape.colour) && shape.colour >= 0 && shape.colour <= 0xffffff)
    }
    player.env.close()
  })
}
