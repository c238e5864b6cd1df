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
  assert.throws(() => makeEnv('gym:CartPole-v1', { python: import.meta.dirname }), {
    code: 'python_missing',
    message: /^gym:CartPole-v1 needs Python, but ".*" cannot be started \(.*EACCES\); check the command\.$/,
  })
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
  const cases: [Record<string, unknown>, string][] = [
    [{ python: '' }, 'Option "python" of gym:CartPole-v1 must be the command that starts Python 3.'],
    [{ python: 3 }, 'Option "python" of gym:CartPole-v1 must be the command that starts Python 3.'],
    [{ processes: 0 }, 'Option "processes" of gym:CartPole-v1 must be an integer from 1 to 128.'],
    [{ stepTimeoutMs: 1.5 }, 'Option "stepTimeoutMs" of gym:CartPole-v1 must be an integer from 1 to 2147483647.'],
    [{ obs_type: [] }, 'Option "obs_type" of gym:CartPole-v1 must be text, a finite number, true, false or null.'],
    [{ x: Number.NaN }, 'Option "x" of gym:CartPole-v1 must be text, a finite number, true, false or null.'],
  ]
  for (const [options, message] of cases) {
    assert.throws(() => makeEnv('gym:CartPole-v1', options), { code: 'option', message })
  }
})

test('more memory than the bridge takes', (context) => {
  const observation = { shape: [1_000], type: 'f32', low: 0, high: 1 }
  const description = { observation, action: { kind: 'discrete', n: 2 }, threshold: null, maxEpisodeSteps: null }
  const wide = fake(context, `echo '${JSON.stringify({ description })}'`)
  assert.throws(() => makeVectorEnv('gym:Fake-v0', 100_000, wide.options), {
    code: 'shape',
    message: /^100000 rows of gym:Fake-v0 would need \d+ MiB of shared memory, but the bridge takes at most \d+; use fewer rows\.$/,
  })
})
