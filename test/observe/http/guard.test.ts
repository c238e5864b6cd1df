import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Door, judge, type Knock } from '../../../src/observe/http/guard.ts'

const door: Door = { hosts: new Set(['127.0.0.1:8080', '[::1]:8080']), open: false, token: 'secret' }
const openDoor: Door = { ...door, open: true }
const get: Knock = {
  method: 'GET',
  path: '/api/status',
  host: '127.0.0.1:8080',
  origin: undefined,
  authorization: undefined,
  contentType: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
}
const post: Knock = {
  ...get,
  method: 'POST',
  path: '/api/stop',
  origin: 'http://127.0.0.1:8080',
  contentType: 'application/json; charset=utf-8',
  authorization: 'Bearer secret',
}
const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`
const verdict = (knock: Knock, at = door) => judge(knock, at)?.code ?? 'in'

test('who may read', () => {
  const cases: [Partial<Knock>, string][] = [
    [{}, 'in'],
    [{ host: '[::1]:8080' }, 'in'],
    [{ host: 'evil.example:8080' }, 'host'],
    [{ host: 'localhost:8080' }, 'host'],
    [{ host: '127.0.0.1:8081' }, 'host'],
    [{ host: '127.0.0.1' }, 'host'],
    [{ host: undefined }, 'host'],
    [{ origin: 'http://127.0.0.1:8080' }, 'in'],
    [{ origin: 'http://127.0.0.1:9090' }, 'origin'],
    [{ origin: 'null' }, 'origin'],
    [{ fetchSite: 'same-origin' }, 'in'],
    [{ fetchSite: 'none' }, 'in'],
    [{ fetchSite: 'cross-site' }, 'origin'],
    [{ fetchSite: 'same-site' }, 'origin'],
    // A link on another page may open this one, and only open it.
    [{ path: '/', fetchSite: 'cross-site', fetchMode: 'navigate' }, 'in'],
    [{ path: '/', fetchSite: 'cross-site', fetchMode: 'no-cors' }, 'origin'],
    [{ path: '/api/status', fetchSite: 'cross-site', fetchMode: 'navigate' }, 'origin'],
    [{ method: 'PUT' }, 'method'],
    [{ method: 'OPTIONS' }, 'method'],
  ]
  for (const [change, expected] of cases) assert.equal(verdict({ ...get, ...change }), expected, JSON.stringify(change))
})

test('who may command', () => {
  const cases: [Partial<Knock>, string][] = [
    [{}, 'in'],
    [{ origin: undefined }, 'origin'],
    [{ origin: 'http://evil.example' }, 'origin'],
    [{ contentType: undefined }, 'content_type'],
    [{ contentType: 'text/plain' }, 'content_type'],
    [{ contentType: 'application/x-www-form-urlencoded' }, 'content_type'],
    [{ authorization: undefined }, 'token'],
    [{ authorization: 'Bearer secre' }, 'token'],
    [{ authorization: 'Bearer secret2' }, 'token'],
    // A browser sends a password by itself, so it shows nothing of the person's will.
    [{ authorization: basic('secret') }, 'token'],
  ]
  for (const [change, expected] of cases) assert.equal(verdict({ ...post, ...change }), expected, JSON.stringify(change))
})

test('open to other machines, everything needs the token', () => {
  const cases: [Partial<Knock>, string][] = [
    [{}, 'token'],
    [{ path: '/metrics' }, 'token'],
    [{ path: '/metrics', authorization: 'Bearer secret' }, 'in'],
    [{ path: '/', authorization: basic('secret') }, 'in'],
    [{ path: '/', authorization: basic('wrong') }, 'token'],
    [{ path: '/', authorization: 'Digest secret' }, 'token'],
  ]
  for (const [change, expected] of cases) assert.equal(verdict({ ...get, ...change }, openDoor), expected, JSON.stringify(change))
})

test('a refusal says what to do', () => {
  const cases: [Knock, Door, string][] = [
    [{ ...get, method: 'PUT' }, door, 'Only GET and POST are answered here.'],
    [{ ...get, origin: 'null' }, door, 'Pages of other origins may not ask here.'],
    [{ ...get, fetchSite: 'cross-site' }, door, 'Pages of other origins may not ask here.'],
    [get, openDoor, 'This dashboard is open to other machines, so it needs the token that the daemon printed on start.'],
    [{ ...post, origin: undefined }, door, 'A command needs the header Origin: http://127.0.0.1:8080.'],
    [{ ...post, contentType: 'text/plain' }, door, 'A command is JSON: send it with Content-Type: application/json.'],
  ]
  for (const [knock, at, message] of cases) assert.equal(judge(knock, at)?.message, message)
  assert.equal(judge({ ...get, host: 'evil' }, door)?.message, 'This dashboard answers to its address only; open http://127.0.0.1:8080/.')
  assert.equal(
    judge({ ...post, authorization: undefined }, door)?.message,
    'A command needs Authorization: Bearer with the token that the daemon printed on start.',
  )
})
