import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVectorEnv } from '../../src/envs/registry.ts'
import { wrapVector } from '../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { initialParameters } from '../../src/learn/initialise.ts'
import { actorCriticNetwork, duelingNetwork } from '../../src/learn/networks.ts'
import { Player } from '../../src/learn/player.ts'
import { seededRandom } from '../../src/util/random.ts'

const plan = { torso: [{ kind: 'dense', units: 8, activation: 'tanh' }], head: [] } as const

async function playerOf(id: string, build: typeof actorCriticNetwork): Promise<Player> {
  const environment = wrapVector(makeVectorEnv(id, 1), [])
  const network = build(plan, environment.observationSpace, environment.actionSpace)
  const engine = await createEngine('wasm', { deterministic: true })
  const player = new Player(environment, network, engine, seededRandom(1, 'play'))
  player.load({ parameters: initialParameters(network, 3), normalisers: [] }, 7)
  return player
}

test('a policy over choices shows its probabilities, its value, and whole episodes', async () => {
  const player = await playerOf('CartPole-v1', actorCriticNetwork)
  let frame = player.step()
  assert.deepEqual([frame.step, frame.episode, frame.episodeReturn, frame.version], [0, 0, 0, 7])
  assert.equal(typeof frame.value, 'number')
  for (let step = 0; step < 200; step++) {
    const { probabilities, picture, action, episodeReturn } = frame
    assert.ok(Math.abs(probabilities!.reduce((sum, share) => sum + share, 0) - 1) < 1e-6)
    assert.ok(action === 0 || action === 1)
    assert.ok(picture !== null && structuredClone(picture) !== null)
    // One point for every step.
    assert.equal(episodeReturn, frame.step)
    frame = player.step()
  }
  assert.ok(frame.episode > 2, 'an untrained pole falls within 100 steps')
  player.dispose()
})

test('a continuous policy shows mean and deviation; a new one has deviation 1', async () => {
  const player = await playerOf('Pendulum-v1', actorCriticNetwork)
  const { gaussian, action, probabilities } = player.step()
  assert.deepEqual([gaussian?.deviation, probabilities], [[1], null])
  assert.equal((action as readonly number[]).length, 1)
  player.dispose()
})

test('a value-based policy shows what each choice is worth and takes the best', async () => {
  const player = await playerOf('Acrobot-v1', duelingNetwork)
  const { actionValues, action, value } = player.step()
  assert.equal(actionValues?.length, 3)
  assert.equal(actionValues?.[action as number], Math.max(...actionValues!))
  assert.equal(value, Math.max(...actionValues!))
  player.dispose()
})
