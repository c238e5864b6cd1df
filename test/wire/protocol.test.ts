import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AGENT_VERSION, STATE_PROTOCOL, topics } from '../../src/wire/protocol.ts'

test('the names that other builds know', () => {
  assert.equal(AGENT_VERSION, 'grapevine/1.0')
  assert.equal(STATE_PROTOCOL, '/grapevine/state/1')
  assert.deepEqual(topics('ab12'), { beacon: '/grapevine/1/ab12/beacon', parameters: '/grapevine/1/ab12/params' })
})
