/**
 * Training on Gymnasium's environments in Python: two daemons on one run, a Python child killed under them, and Pong from its memory.
 * Skipped, and said so, where python3 lacks Gymnasium; never in CI.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { startLearnerThread } from '../../src/node/learner-thread.ts'
import { children, isAlive, withoutGymnasium } from '../envs/bridge/support.ts'
import { TestDaemon } from '../support/daemon.ts'
import { presetSettings } from '../support/preset-settings.ts'

/** A daemon that asks Python for the environment and starts it, on a busy machine of two cores. */
const START_DEADLINE_MS = 30_000
/** Two statistics lines, or a mix. */
const HEAR_DEADLINE_MS = 20_000
const PONG_UPDATES = 200

/** Ids of the Python children of a daemon. */
function childrenOf(daemon: TestDaemon): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  const processes = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line)?.slice(1) ?? ['', '', '', ''])
  const own = processes.filter(([, , , args]) => args!.includes(daemon.dataDir)).map(([pid]) => pid)
  return processes
    .filter(([, parent, state, args]) => own.includes(parent) && !state!.startsWith('Z') && args!.includes('bridge.py'))
    .map(([pid]) => Number(pid))
}

describe('a run on Gymnasium', { skip: withoutGymnasium() }, () => {
  test('a joiner must allow Python; then both learn together, also after a child was killed, and leave nothing behind', async (context) => {
    const founder = TestDaemon.spawn(context, ['start', '--env', 'gym:CartPole-v1', '--seed', '1'])
    const [address] = (await founder.event('listening', START_DEADLINE_MS)).addresses
    assert.ok(address)

    const wary = TestDaemon.spawn(context, ['join', address])
    assert.match((await wary.event('error', START_DEADLINE_MS)).message, /gym:CartPole-v1 runs in Python, .* only with --allow-python/)
    assert.equal((await wary.ended).code, 3)

    const joiner = TestDaemon.spawn(context, ['join', address, '--allow-python'])
    await joiner.event('joined', START_DEADLINE_MS)
    await Promise.all([founder, joiner].map((daemon) => daemon.event('mix', HEAR_DEADLINE_MS)))

    const [child, ...others] = childrenOf(joiner)
    assert.ok(child !== undefined && others.length === 0)
    process.kill(child, 'SIGKILL')
    const since = joiner.events.length
    const { updates } = await joiner.event('stats', HEAR_DEADLINE_MS, () => true, since)
    await joiner.event('stats', HEAR_DEADLINE_MS, (stats) => stats.updates > updates, since)
    const [successor] = childrenOf(joiner)
    assert.ok(successor !== undefined && successor !== child)

    const left = [...childrenOf(founder), successor]
    assert.equal(left.length, 2)
    assert.deepEqual(await Promise.all([founder, joiner].map((daemon) => daemon.terminate())), [0, 0])
    assert.deepEqual(left.filter(isAlive), [])
  })

  test('Pong learns from its memory for a few hundred updates, and a restart is among its statistics', async () => {
    const environment = { id: 'gym:ALE/Pong-v5', options: { obs_type: 'ram', processes: 2 } }
    const learner = await startLearnerThread(presetSettings('a2c', environment.id, { environment, deterministic: false }))
    try {
      const before = (await learner.snapshot()).parameters.slice()
      await learner.run()
      const { updates, steps } = await learner.reach(PONG_UPDATES)
      assert.ok(updates >= PONG_UPDATES && steps >= PONG_UPDATES)
      process.kill(children()[0]!, 'SIGKILL')
      const { statistics } = await learner.reach(updates + PONG_UPDATES)
      assert.equal(statistics['environment/restarts'], 1)
      const { parameters } = await learner.snapshot()
      assert.ok(parameters.every(Number.isFinite))
      assert.notDeepEqual(parameters, before)
    } finally {
      await learner.stop()
    }
    assert.deepEqual(children(), [])
  })
})
