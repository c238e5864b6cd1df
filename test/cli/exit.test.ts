import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { GrapevineError } from '../../src/util/errors.ts'

test('exit codes say whose turn it is: the user’s, the swarm’s, the supervisor’s', () => {
  const cases: [string, 'local' | 'peer' | 'network', number][] = [
    ['usage', 'local', 2],
    ['swarm_key_file', 'local', 2],
    ['replay_memory', 'local', 2],
    ['actors', 'local', 2],
    ['bad_invitation', 'local', 3],
    ['cannot_join', 'local', 3],
    ['swarm_key', 'network', 3],
    ['not_admitted', 'network', 3],
    ['unwelcome', 'network', 3],
    ['out_of_memory', 'local', 75],
    ['data_dir', 'local', 1],
  ]
  for (const [code, fault, exit] of cases) assert.equal(exitCodeOf(new GrapevineError(code, fault, 'A sentence.')), exit, code)
  assert.equal(exitCodeOf(new Error('a bug')), 1)
})
