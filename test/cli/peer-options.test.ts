import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { addPeerOptions, peerFlags } from '../../src/cli/peer-options.ts'

function settingsOf(...words: string[]) {
  const command = new Command()
  addPeerOptions(command, true)
  command.parse(words, { from: 'user' })
  return peerFlags(command).settings
}

test('a flag and its no- are told apart', () => {
  assert.deepEqual(settingsOf(), {})
  assert.deepEqual(settingsOf('--http', '127.0.0.1:1'), { http: '127.0.0.1:1' })
  assert.deepEqual(settingsOf('--no-http'), { 'no-http': true })
  assert.deepEqual(settingsOf('--lan', '--no-mdns'), { lan: true, 'no-mdns': true })
})
