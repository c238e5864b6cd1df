import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AsterixRows } from '../../src/envs/minatar/asterix.ts'
import { BreakoutRows } from '../../src/envs/minatar/breakout.ts'
import { FreewayRows } from '../../src/envs/minatar/freeway.ts'
import { ALL_ACTIONS, type GridRows, type GridSettings, type Streams } from '../../src/envs/minatar/grid-rows.ts'
import { SeaquestRows } from '../../src/envs/minatar/seaquest.ts'
import { SpaceInvadersRows } from '../../src/envs/minatar/space-invaders.ts'

type Row = readonly (number | boolean | string)[]
interface Scripted {
  readonly rand: number[]
  readonly randint: number[]
  readonly actions: number[]
  readonly steps: Row[]
}
interface Tracked {
  readonly start: number
  readonly actions: number[]
  readonly total: number
  readonly steps: readonly Record<string, number | boolean | string | number[]>[]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/minatar.json', import.meta.url), 'utf8')) as Record<string, unknown>

/** Streams that give prepared numbers, over and over. */
function scripted(randoms: readonly number[], integers: readonly number[]): Streams {
  let random = 0
  let integer = 0
  return {
    seed() {},
    random: () => randoms[random++ % randoms.length]!,
    below: () => integers[integer++ % integers.length]!,
    words: new Uint32Array(0),
  }
}

function game(
  Game: new (count: number, settings: GridSettings) => GridRows,
  streams: Streams,
): (action: number) => { reward: number; over: boolean; hash: string } {
  const rows = new Game(1, { streams, stickyProbability: 0, ramping: true, actions: ALL_ACTIONS })
  rows.begin(0)
  const observation = new Float32Array(rows.observationSpace.low.length)
  const reward = new Float32Array(1)
  const terminated = new Uint8Array(1)
  return (action) => {
    rows.step(Int32Array.of(action), observation, reward, terminated)
    return { reward: reward[0]!, over: terminated[0] === 1, hash: hashOf(observation) }
  }
}

/** First 16 hex digits of the SHA-256 of the cells packed into bits, highest first. */
function hashOf(cells: Float32Array): string {
  const bits = new Uint8Array(Math.ceil(cells.length / 8))
  for (const [i, cell] of cells.entries()) bits[i >> 3]! |= cell << (7 - (i & 7))
  return createHash('sha256').update(bits).digest('hex').slice(0, 16)
}

for (const start of [0, 1]) {
  test(`Breakout from side ${start}, tracked`, () => {
    const { actions, total, steps } = vectors[`breakout_start${start}`] as Tracked
    const play = game(BreakoutRows, scripted([], [start]))
    let sum = 0
    for (const [i, expected] of steps.entries()) {
      const { reward, over, hash } = play(actions[i]!)
      sum += reward
      assert.deepEqual({ reward, over, hash }, { reward: expected.r, over: expected.t, hash: expected.hash }, `step ${i}`)
    }
    assert.equal(sum, total)
  })
}

test('Breakout without a hand on the paddle', () => {
  for (const [start, steps, score] of [
    [0, 6, 0],
    [1, 16, 1],
  ] as const) {
    const play = game(BreakoutRows, scripted([], [start]))
    let sum = 0
    for (let i = 1; i <= steps; i++) {
      const { reward, over } = play(0)
      sum += reward
      assert.equal(over, i === steps)
    }
    assert.equal(sum, score)
  }
})

for (const name of ['noop', 'fire', 'cycle', 'dodge']) {
  test(`Space Invaders, ${name}`, () => {
    const { actions, total, steps } = vectors[`space_invaders_${name}`] as { actions: number[]; total: number; steps: unknown[] }
    const play = game(SpaceInvadersRows, scripted([], []))
    let sum = 0
    for (const [i, raw] of steps.entries()) {
      const expected = Array.isArray(raw)
        ? { r: raw[1] as number, t: raw[2] as boolean, hash: raw[8] as string }
        : (raw as { r: number; t: boolean; hash: string })
      const { reward, over, hash } = play(actions[i]!)
      sum += reward
      assert.deepEqual({ reward, over, hash }, { reward: expected.r, over: expected.t, hash: expected.hash }, `step ${i}`)
    }
    assert.equal(sum, total)
  })
}

test('Freeway, always up', () => {
  const { speeds, dir_rand, steps, total, reward_steps, samples } = vectors.freeway_up as {
    speeds: number[]
    dir_rand: number[]
    steps: number
    total: number
    reward_steps: number[]
    samples: [number, number, string][]
  }
  const play = game(
    FreewayRows,
    scripted(
      dir_rand,
      speeds.map((speed) => speed - 1),
    ),
  )
  const rewarded: number[] = []
  for (let i = 0; i < steps; i++) {
    const { reward, over, hash } = play(2)
    if (reward === 1) rewarded.push(i)
    assert.equal(over, i === steps - 1)
    const sample = samples.find(([at]) => at === i)
    if (sample !== undefined) assert.equal(hash, sample[2], `step ${i}`)
  }
  assert.deepEqual(rewarded, reward_steps)
  assert.equal(rewarded.length, total)
})

// Seaquest's integers are rows from 1 on.
for (const [name, Game, lowest] of [
  ['asterix', AsterixRows, 0],
  ['seaquest', SeaquestRows, 1],
] as const) {
  test(`${name}, scripted`, () => {
    const { rand, randint, actions, steps } = vectors[name] as Scripted
    const play = game(
      Game,
      scripted(
        rand,
        randint.map((integer) => integer - lowest),
      ),
    )
    for (const [i, expected] of steps.entries()) {
      const { reward, over, hash } = play(actions[i]!)
      assert.deepEqual({ reward, over, hash }, { reward: expected[1], over: expected[2], hash: expected.at(-1) }, `step ${i}`)
    }
  })
}
