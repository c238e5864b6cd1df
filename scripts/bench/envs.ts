/**
 * Environments: steps per second of processor time of the scalar and the vector form under random actions, beside Gymnasium's (and MinAtar's) in the same run
 * where Python has them; heap growth; and whether returns agree with the originals'.
 *
 *   npm run bench -- envs [--env ID]... [--seconds 0.5] [--python python3] [--no-heap] [--no-returns]
 *
 * One JSON object a line: {env, scalar, vector: {rows: steps/s}, python: {what: steps/s} | 'skipped: why', ratio, heapBytes},
 * then {env, policy, episodes, mean, standardError, expected, deviations}.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { allocateActions, allocateBuffers } from '../../src/envs/buffers.ts'
import { listEnvironments, makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'
import { sampleAction } from '../../src/envs/spaces.ts'
import type { VectorEnvironment } from '../../src/envs/types.ts'
import { seededRandom } from '../../src/util/random.ts'
import { compareReturns } from './environments/returns.ts'

const ROWS = [1, 16, 128, 1024]
/** Environment steps over which the heap must not grow. */
const HEAP_STEPS = 1_000_000
/** Prepared actions; choosing them is not what is measured. */
const ACTION_SETS = 64

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      env: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '0.5' },
      python: { type: 'string', default: 'python3' },
      'no-heap': { type: 'boolean', default: false },
      'no-returns': { type: 'boolean', default: false },
    },
  })
  const ids = values.env ?? listEnvironments().map(({ id }) => id)
  const seconds = Number(values.seconds)
  for (const id of ids) {
    const scalar = Math.round(scalarSpeed(id, seconds))
    const vector = Object.fromEntries(ROWS.map((rows) => [rows, Math.round(vectorSpeed(id, rows, seconds))]))
    const python = pythonSpeeds(values.python, id, seconds)
    const best = Math.max(...Object.values(vector))
    const theirs = typeof python === 'string' ? null : Math.max(...Object.values(python))
    const heapBytes = values['no-heap'] ? null : heapGrowth(id)
    console.log(
      JSON.stringify({ env: id, scalar, vector, python, ratio: theirs === null ? null : Number((best / theirs).toFixed(1)), heapBytes }),
    )
  }
  if (!values['no-returns']) for (const line of compareReturns(ids)) console.log(JSON.stringify(line))
}

function scalarSpeed(id: string, seconds: number): number {
  const env = makeEnv(id)
  const random = seededRandom(0, 'bench')
  const actions = Array.from({ length: ACTION_SETS }, () => sampleAction(env.actionSpace, random))
  env.reset({ seed: 0 })
  const speed = timed(seconds, 1, (i) => {
    const { terminated, truncated } = env.step(actions[i % ACTION_SETS]!)
    if (terminated || truncated) env.reset()
  })
  env.close()
  return speed
}

/** A function that takes one vector step by prepared actions. */
function stepper(env: VectorEnvironment): (i: number) => void {
  const random = seededRandom(0, 'bench')
  const out = allocateBuffers(env)
  const actions = Array.from({ length: ACTION_SETS }, () => {
    const set = allocateActions(env.actionSpace, env.count)
    const width = set.length / env.count
    for (let row = 0; row < env.count; row++) {
      const action = sampleAction(env.actionSpace, random)
      if (typeof action === 'number') set[row] = action
      else set.set(action, row * width)
    }
    return set
  })
  env.reset(0, out.observations)
  return (i) => env.step(actions[i % ACTION_SETS]!, out)
}

function vectorSpeed(id: string, rows: number, seconds: number): number {
  const env = makeVectorEnv(id, rows)
  const speed = timed(seconds, env.count, stepper(env))
  env.close()
  return speed
}

/** Steps per second of processor time (others may use the machine): the best of three stretches after one for warming up. */
function timed(seconds: number, perCall: number, step: (i: number) => void): number {
  let best = 0
  for (let stretch = 0; stretch < 4; stretch++) {
    const start = process.cpuUsage()
    let calls = 0
    let used = 0
    while (used < seconds / 4) {
      for (let i = 0; i < 50; i++) step(calls++)
      const { user, system } = process.cpuUsage(start)
      used = (user + system) / 1e6
    }
    if (stretch > 0) best = Math.max(best, (calls * perCall) / used)
  }
  return best
}

/** What to measure in Python beside our `id`. */
function originals(id: string): string[] {
  if (id === 'CartPole-v1') return [`gym:${id}`, `vector:${id}:64`, `vector:${id}:1024`]
  if (id.startsWith('MinAtar/')) {
    const names: Record<string, string> = {
      Breakout: 'breakout',
      Asterix: 'asterix',
      Freeway: 'freeway',
      Seaquest: 'seaquest',
      SpaceInvaders: 'space_invaders',
    }
    const game = names[id.slice('MinAtar/'.length, -'-v0'.length)]
    return game === undefined ? [] : [`minatar:${game}`]
  }
  return id.startsWith('Spread') || id.startsWith('DeepSea') ? [] : [`gym:${id}`]
}

function pythonSpeeds(python: string, id: string, seconds: number): Record<string, number> | string {
  const wanted = originals(id)
  if (wanted.length === 0) return 'skipped: there is no original'
  const script = join(import.meta.dirname, 'environments', 'gymnasium_speed.py')
  const { status, stdout, stderr, error } = spawnSync(python, [script, String(seconds), ...wanted.flatMap((what) => [id, what])], {
    encoding: 'utf8',
  })
  if (error !== undefined) return `skipped: ${error.message}`
  if (status !== 0) return `skipped: ${stderr.trim().split('\n').at(-1)}`
  const speeds = (JSON.parse(stdout) as Record<string, Record<string, number>>)[id]
  return speeds ?? `skipped: ${stderr.trim().split('\n').at(-1)}`
}

/** Bytes by which the heap grew over a million environment steps (fewer for the slow lander). */
function heapGrowth(id: string): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const env = makeVectorEnv(id, 64)
  const step = stepper(env)
  const calls = (id.startsWith('LunarLander') ? HEAP_STEPS / 20 : HEAP_STEPS) / env.count
  const used = (): number => {
    for (let i = 0; i < calls; i++) step(i)
    collect()
    return process.memoryUsage().heapUsed
  }
  used()
  const before = used()
  const grown = used() - before
  env.close()
  return grown
}
