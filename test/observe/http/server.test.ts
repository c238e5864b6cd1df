/** The dashboard over real sockets: routes, headers, streams, commands. Who may ask is tested in guard.test.ts; what a person sees in page.test.ts. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Dashboard, serveDashboard } from '../../../src/observe/http/server.ts'
import { MAX_STREAMS } from '../../../src/observe/limits.ts'
import { METRICS } from '../../../src/observe/metric-specs.ts'
import { type FakeObserved, fakeObserved } from '../../support/observed.ts'
import { parsePrometheus } from '../../support/prometheus.ts'

const TOKEN = 'a-token'

async function served(context: TestContext, observed: FakeObserved, host = '127.0.0.1'): Promise<Dashboard> {
  const dashboard = await serveDashboard(observed, { host, port: 0 }, TOKEN)
  context.after(() => dashboard.close())
  return dashboard
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** `fetch` would not let us choose Host. */
function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request(new URL(path, url), { method: options.method ?? 'GET', headers: options.headers ?? {} }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', fail)
    sent.end(options.body)
  })
}

function command(url: string, name: string, body = '{}', headers: Record<string, string> = {}): Promise<Answer> {
  const own = { origin: new URL(url).origin, 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  return ask(url, `/api/${name}`, { method: 'POST', headers: { ...own, ...headers }, body })
}

test('every route answers, and says that nothing foreign may be loaded', async (context) => {
  const observed = fakeObserved(3)
  const { url } = await served(context, observed)
  observed.tick()
  for (const path of ['/', '/main.js', '/style.css', '/uplot.js', '/uplot.css', '/icon.svg', '/api/invitation.svg', '/metrics']) {
    const { status, headers } = await ask(url, path)
    assert.equal(status, 200, path)
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
  }
  const json = async (path: string) => JSON.parse((await ask(url, path)).text)
  assert.equal((await json('/api/status')).peers.length, 3)
  assert.equal((await json('/api/status')).links.length, 2)
  assert.equal((await json('/api/curves'))[0].statistics['train/value_loss'], 0.5)
  assert.deepEqual(
    (await json('/api/events')).map(({ event }: { event: { event: string } }) => event.event),
    ['mix', 'mix', 'mix'],
  )
  assert.deepEqual(await json('/api/run'), { manifest: { name: 'CartPole-v1' }, settings: { actors: 0 } })
  assert.deepEqual((await json('/api/invitation')).commands, ['pause', 'resume', 'stop', 'ban'])
  const { status, text } = await ask(url, '/../package.json')
  assert.equal(status, 404)
  assert.deepEqual(JSON.parse(text).error, { code: 'not_found', message: 'There is nothing here; the README lists what there is.' })
})

test('/metrics is what Prometheus reads, with every name of the glossary and the values of the peer', async (context) => {
  const observed = fakeObserved(3)
  const { url } = await served(context, observed)
  observed.tick()
  observed.emit({ event: 'refused', peer: 'p', code: 'digest' })
  const { headers, text } = await ask(url, '/metrics')
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
  const families = parsePrometheus(text)
  assert.deepEqual([...families.keys()].sort(), Object.keys(METRICS).sort())
  for (const [name, { kind, help }] of Object.entries(METRICS)) {
    assert.deepEqual([families.get(name)?.type, families.get(name)?.help], [kind, help])
  }
  const value = (name: string, labels: Record<string, string> = {}) =>
    families
      .get(name.replace(/_(bucket|sum|count)$/, ''))
      ?.samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value
  assert.equal(value('grapevine_steps_total'), 40_000)
  assert.equal(value('grapevine_peers', { state: 'alive' }), 3)
  assert.equal(value('grapevine_refused_total', { code: 'digest' }), 1)
  assert.equal(value('grapevine_mixes_total', { strategy: 'broadcast' }), 3)
  assert.equal(value('grapevine_mix_staleness_seconds_bucket', { le: '0.03' }), 0)
  assert.equal(value('grapevine_mix_staleness_seconds_bucket', { le: '0.1' }), 3)
  assert.equal(value('grapevine_training', { name: 'train/gradient_norm' }), 0.5)
  assert.equal(value('grapevine_averaging_events_total', { name: 'rounds' }), 1)
  assert.equal(value('grapevine_experience_total', { direction: 'in' }), 64)
  assert.equal(value('grapevine_learner_cpu_seconds_total'), 0.9)
})

test('an address of another name is refused, whatever it asks', async (context) => {
  const observed = fakeObserved(1)
  const { url } = await served(context, observed)
  for (const path of ['/', '/api/status', '/metrics', '/api/stream']) {
    const { status, text } = await ask(url, path, { headers: { host: `rebound.example:${new URL(url).port}` } })
    assert.deepEqual([status, JSON.parse(text).error.code], [403, 'host'], path)
  }
})

test('commands', async (context) => {
  const observed = fakeObserved(1)
  const { url } = await served(context, observed)
  const [{ id } = { id: '' }] = observed.status().peers
  assert.equal((await command(url, 'pause')).status, 200)
  assert.equal((await command(url, 'ban', JSON.stringify({ peer: id }))).status, 200)
  assert.equal((await command(url, 'ban', '{"peer":"<b>"}')).status, 400)
  assert.equal((await command(url, 'ban', 'nonsense')).status, 400)
  assert.equal((await command(url, 'checkpoint')).status, 404)
  assert.equal((await command(url, 'status')).status, 404)
  assert.equal((await command(url, 'stop', '{}', { authorization: 'Bearer wrong' })).status, 401)
  assert.equal((await command(url, 'stop', '{}', { origin: 'http://evil.example' })).status, 403)
  const long = await command(url, 'stop', 'x'.repeat(5_000))
  assert.deepEqual([long.status, JSON.parse(long.text).error.message], [409, 'A command has at most 4096 bytes.'])
  assert.deepEqual(observed.asked, [
    ['pause', ''],
    ['ban', id],
  ])
})

test('beyond this machine, nothing without the token', async (context) => {
  const { url } = await served(context, fakeObserved(1), '0.0.0.0')
  for (const path of ['/', '/metrics', '/api/status', '/main.js']) {
    const { status, headers } = await ask(url, path)
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Basic realm="grapevine"'])
    assert.equal((await ask(url, path, { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200)
  }
})

test('a stream tells what happens, and its end ends the playing', async (context) => {
  const observed = fakeObserved(2)
  const { url } = await served(context, observed)
  const leaving = new AbortController()
  const read = async (path: string, wanted: string) => {
    const response = await fetch(new URL(path, url), { signal: leaving.signal })
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes(wanted)) return text
      observed.tick()
    }
    return text
  }
  observed.tick()
  assert.match(await read('/api/stream', 'event: events'), /event: status\ndata: \{"peer"/)
  assert.match(await read('/api/policy', 'event: frame'), /"probabilities":\[/)
  leaving.abort()
  while (observed.watchers() > 0) await new Promise((next) => setTimeout(next, 5))
})

test('one page too many is told so', async (context) => {
  const { url } = await served(context, fakeObserved(1))
  const leaving = new AbortController()
  for (let i = 0; i < MAX_STREAMS; i++) assert.equal((await fetch(new URL('/api/stream', url), { signal: leaving.signal })).status, 200)
  const { status, text } = await ask(url, '/api/stream')
  assert.deepEqual([status, JSON.parse(text).error], [503, { code: 'busy', message: 'Too many pages are open; close one and reload.' }])
  leaving.abort()
})

test('an address that is taken is told with what to do', async (context) => {
  const { url } = await served(context, fakeObserved(0))
  const port = Number(new URL(url).port)
  await assert.rejects(serveDashboard(fakeObserved(0), { host: '127.0.0.1', port }, TOKEN), {
    code: 'http_address',
    message: `Cannot serve the dashboard on 127.0.0.1:${port}: another program listens there; choose another address with --http ADDR:PORT, or --no-http.`,
  })
})
