import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemLog } from '../../src/node/log.ts'

function logged(json: boolean, level: 'debug' | 'info' | 'warn' = 'info') {
  const lines: string[] = []
  return { lines, log: systemLog({ level, json, write: (line) => lines.push(line) }) }
}

test('text: one line per message, levels named where they ask for attention', () => {
  const { lines, log } = logged(false)
  log.debug('hidden')
  log.info('began')
  log.warn('slow', { peer: 'abc', delayMs: 12 })
  log.error('broke', { list: [1, 2] })
  assert.deepEqual(lines, ['began\n', 'warning: slow (peer abc, delayMs 12)\n', 'error: broke (list [1,2])\n'])
})

test('text: control characters from other peers cannot forge lines or move the cursor', () => {
  const { lines, log } = logged(false)
  log.info('a\nb', { agent: 'x\u001b[2Jy\r\n' })
  assert.deepEqual(lines, ['a b (agent x [2Jy )\n'])
})

test('json: level, time, message and fields', () => {
  const { lines, log } = logged(true, 'debug')
  log.debug('dialled', { address: '/ip4/127.0.0.1/tcp/1' })
  const line = JSON.parse(lines[0]!)
  assert.match(line.time, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual({ ...line, time: '' }, { level: 'debug', time: '', address: '/ip4/127.0.0.1/tcp/1', msg: 'dialled' })
  assert.ok(lines[0]!.endsWith('\n'))
})

test('quiet shows warnings and errors only', () => {
  const { lines, log } = logged(false, 'warn')
  log.info('no')
  log.warn('yes')
  assert.deepEqual(lines, ['warning: yes\n'])
})
