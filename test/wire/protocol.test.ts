import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AGENT_VERSION, beaconTopic, parameterTopic, STATE_PROTOCOL } from '../../src/wire/protocol.ts'

test('the names that other builds know', () => {
  assert.equal(AGENT_VERSION, 'grapevine/1.0')
  assert.equal(STATE_PROTOCOL, '/grapevine/state/1')
  assert.equal(beaconTopic('ab12'), '/grapevine/1/ab12/beacon')
  assert.equal(parameterTopic('ab12'), '/grapevine/1/ab12/params')
})
