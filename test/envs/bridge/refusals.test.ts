/** What a person reads when a bridged environment cannot be: one sentence with what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findEnvironment, makeEnv, makeVectorEnv } from '../../../src/envs/registry.ts'
import { command, fake } from './support.ts'

test('an id that is none of Gymnasium is refused without asking Python', () => {
  for (const id of ['gym:CartPole', 'gym:os:Evil-v1', 'gym:../evil-v1', 'gym:-v', 'gym:a b-v1', 'gym:']) {
    assert.throws(
      () => findEnvironment(id),
      { code: 'unknown_environment', message: /write it as gym:CartPole-v1 or gym:ALE\/Pong-v5/ },
      id,
    )
  }
  assert.equal(findEnvironment('gym:ALE/Pong-v5').version, '1')
})

test('no Python', () => {
  assert.throws(() => makeVectorEnv('gym:CartPole-v1', 1, { python: '/nowhere/python3' }), {
    code: 'python_missing',
    fault: 'local',
    message:
      'gym:CartPole-v1 needs Python, but there is no command "/nowhere/python3" here; install Python 3, then gymnasium with: /nowhere/python3 -m pip install gymnasium',
  })
  assert.throws(() => makeEnv('gym:CartPole-v1', { python: import.meta.dirname }), { code: 'python_missing', message: /cannot be started/ })
})

test('Python without gymnasium', (context) => {
  // Without its site-packages any Python is one.
  const python = command(context, 'exec python3 -I -S "$@"')
  assert.throws(() => makeEnv('gym:CartPole-v1', { python }), {
    code: 'python_package_missing',
    message: `gym:CartPole-v1 needs the Python package gymnasium, which "${python}" does not have; install it with: ${python} -m pip install gymnasium`,
  })
})

test('a command that is no Python, says nothing, nonsense, or nothing in time', (context) => {
  const refused = (options: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => makeEnv('gym:Fake-v0', options), { code: 'environment_failed', message })
  refused(
    { python: command(context, 'echo "no such module" >&2; exit 4') },
    /cannot be made: ".*" ended with code 4 \(its last words: no such module\)/,
  )
  refused(fake(context, 'true').options, /ended with code 0/)
  refused(
    fake(context, `echo '{"description": {"observation": {"shape": [-1]}}}'`).options,
    /described gym:Fake-v0 in a way that makes no sense/,
  )
  refused({ ...fake(context, 'exec sleep 60').options, startTimeoutMs: 500 }, /was not ready after 500 ms .* startTimeoutMs/)
})

test('a space that the bridge cannot carry is named', (context) => {
  assert.throws(
    () =>
      makeEnv('gym:Fake-v0', fake(context, `echo '{"refusal": {"code": "space", "which": "action", "space": "MultiBinary(4)"}}'`).options),
    {
      code: 'unsupported_space',
      message: /^gym:Fake-v0 has the action space MultiBinary\(4\), which the bridge cannot carry: /,
    },
  )
})

test('options are judged before Python is asked', () => {
  for (const options of [{ python: '' }, { python: 3 }, { processes: 0 }, { stepTimeoutMs: 1.5 }, { obs_type: [] }, { x: Number.NaN }]) {
    assert.throws(() => makeEnv('gym:CartPole-v1', options), { code: 'option' })
  }
})

test('more memory than the bridge takes', (context) => {
  assert.throws(() => makeVectorEnv('gym:Fake-v0', 1_000_000_000, fake(context).options), { code: 'shape' })
})
