import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asError, messageOf } from '../../src/util/errors.ts'

test('whatever was thrown has a message and can be passed on as an error', () => {
  const error = new TypeError('no such slot')
  assert.equal(messageOf(error), 'no such slot')
  assert.equal(messageOf('no such slot'), 'no such slot')
  assert.equal(messageOf(undefined), 'undefined')
  assert.equal(asError(error), error)
  assert.ok(asError(3) instanceof Error)
  assert.equal(asError(3).message, '3')
})
