/** The page in real Chromium, over a swarm that is not there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { type Dashboard, serveDashboard } from '../../src/observe/http/server.ts'
import { type Browser, launchBrowser, skipWithoutBrowser } from '../support/browser.ts'
import { type FakeObserved, fakeObserved } from '../support/observed.ts'

const TOKEN = 'the-token-of-this-start'
const PEERS = 50
const LEAST_FRAMES_PER_SECOND = 30
/** A busy machine gets this many seconds to show one that is fast enough. */
const FRAME_SECONDS = 30
/** Milliseconds between two ticks of the swarm, each with a mix of every peer. */
const TICK_MS = 250

describe('the page', { skip: skipWithoutBrowser }, () => {
  let observed: FakeObserved
  let dashboard: Dashboard
  let browser: Browser
  let page: Page
  let ticking: NodeJS.Timeout
  /** What the browser complained of. */
  const complaints: string[] = []

  before(async () => {
    observed = fakeObserved(PEERS)
    dashboard = await serveDashboard(observed, { host: '127.0.0.1', port: 0 }, TOKEN)
    observed.tick()
    ticking = setInterval(() => observed.tick(), TICK_MS)
    browser = await launchBrowser()
    page = await browser.context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(dashboard.url)
    await page.waitForSelector('.uplot')
  })

  after(async () => {
    clearInterval(ticking)
    await browser?.close()
    await dashboard?.close()
  })

  /** What a canvas shows, as text that differs when it does. */
  const pixels = (selector: string) => page.$eval(selector, (canvas) => (canvas as HTMLCanvasElement).toDataURL())

  async function changes(what: () => Promise<string | null>): Promise<void> {
    const first = await what()
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await what()) !== first) return
      await sleep(50)
    }
    assert.fail(`it stayed as it was: ${first?.slice(0, 80)}`)
  }

  test('plots and figures move', async () => {
    assert.equal(await page.locator('.uplot').count(), 6)
    await changes(() => pixels('.curve:nth-child(1) canvas'))
    await changes(() => pixels('.curve:nth-child(5) canvas'))
    await changes(() => page.textContent('#tile-steps'))
  })

  test('the policy plays, and only while somebody can see it', async () => {
    await changes(() => pixels('#policy'))
    await changes(() => page.textContent('#policy-line'))
    assert.match((await page.textContent('#policy-line')) ?? '', /value estimate \d/)
    assert.equal(await page.locator('.action').count(), 2)
    await changes(() => page.textContent('.action:nth-child(1) span:last-child'))
    assert.equal(observed.watchers(), 1)
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    while (observed.watchers() > 0) await sleep(20)
    await page.evaluate(() => scrollTo(0, 0))
    while (observed.watchers() === 0) await sleep(20)
  })

  test('the swarm is drawn, and every peer is a row', async () => {
    await changes(() => pixels('#swarm'))
    assert.equal(await page.locator('#peers tr').count(), PEERS)
    assert.match((await page.textContent('#peers')) ?? '', /digest 2/)
  })

  test('the log can be filtered', async () => {
    await page.selectOption('#events-kind', 'mix')
    await page.waitForSelector('#events li.mix')
    await page.fill('#events-text', 'no such words')
    await page.waitForSelector('text=Nothing of this kind yet.')
    await page.fill('#events-text', '')
    observed.emit({ event: 'warning', code: 'x', message: '<img src=x onerror=alert(1)>' })
    await page.selectOption('#events-kind', '')
    await page.waitForSelector('#events li.warning')
    assert.equal(await page.locator('#events img').count(), 0)
  })

  test('without the token nothing is banned; with it, by keyboard alone, it is', async () => {
    const row = page.locator('#peers tr').first()
    await row.locator('button').focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('#ask-dialog[open]')
    await page.click('#ask-dialog button[value=ok]')
    await page.waitForSelector('#token-dialog[open]')
    await page.fill('#token', 'a guess')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#token-dialog[open] >> text=This token is not the one')
    assert.deepEqual(observed.asked, [])
    // The answer to the guess.
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('401')))
    await page.fill('#token', TOKEN)
    await page.keyboard.press('Enter')
    await row.locator('.dot.banned').waitFor()
    const [name, peer] = observed.asked[0] ?? []
    assert.equal(name, 'ban')
    assert.equal(observed.status().peers.find(({ state }) => state === 'banned')?.id, peer)
    assert.equal(await row.locator('button').isVisible(), false)
  })

  test('pause and resume', async () => {
    await page.click('[data-command=pause]')
    await page.waitForSelector('#state.paused')
    await page.click('[data-command=resume]')
    await page.waitForSelector('#state.learning')
    assert.deepEqual(
      observed.asked.slice(-2).map(([name]) => name),
      ['pause', 'resume'],
    )
    assert.doesNotMatch(page.url() + (await page.content()), new RegExp(TOKEN))
  })

  test('a page of another origin neither reads nor commands', async () => {
    const before = observed.asked.length
    const foreign = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>elsewhere</title>'))
    foreign.listen(0, '127.0.0.1')
    await once(foreign, 'listening')
    const elsewhere = await browser.context.newPage()
    await elsewhere.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`)
    const outcome = await elsewhere.evaluate(
      async ({ url, token }) => {
        const tried = async (path: string, options: RequestInit) => {
          try {
            const response = await fetch(new URL(path, url), options)
            return response.type === 'opaque' ? 'opaque' : `read ${response.status}`
          } catch {
            return 'refused'
          }
        }
        const loads = (tag: 'img' | 'script' | 'iframe', path: string) =>
          new Promise<string>((done) => {
            const element = document.createElement(tag)
            element.src = new URL(path, url).href
            element.onload = () => done(tag === 'iframe' && (element as HTMLIFrameElement).contentDocument === null ? 'blank' : 'loaded')
            element.onerror = () => done('refused')
            document.body.append(element)
          })
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
        return {
          read: await tried('/api/status', {}),
          metrics: await tried('/metrics', { mode: 'no-cors' }),
          command: await tried('/api/stop', { method: 'POST', headers, body: '{}' }),
          simple: await tried('/api/stop', { method: 'POST', mode: 'no-cors', body: '{}' }),
          form: await tried('/api/stop', { method: 'POST', mode: 'no-cors', body: new URLSearchParams({ peer: '' }) }),
          image: await loads('img', '/api/invitation.svg'),
          script: await loads('script', '/main.js'),
          frame: await loads('iframe', '/'),
          stream: await new Promise((done) => {
            const source = new EventSource(new URL('/api/stream', url))
            source.onopen = () => done('open')
            source.onerror = () => done('refused')
          }),
        }
      },
      { url: dashboard.url, token: TOKEN },
    )
    await elsewhere.close()
    foreign.close()
    assert.deepEqual(outcome, {
      read: 'refused',
      metrics: 'refused',
      command: 'refused',
      simple: 'refused',
      form: 'refused',
      image: 'refused',
      script: 'refused',
      frame: 'blank',
      stream: 'refused',
    })
    assert.equal(observed.asked.length, before)
  })

  for (const scheme of ['light', 'dark'] as const) {
    test(`axe finds nothing serious (${scheme})`, async () => {
      await page.emulateMedia({ colorScheme: scheme })
      await page.evaluate(axe.source)
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: { run(): Promise<axe.AxeResults> } }).axe.run()
        return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ target }) => String(target)) }))
      })
      assert.deepEqual(
        found.filter(({ impact }) => impact === 'serious' || impact === 'critical'),
        [],
      )
    })
  }

  test(`${PEERS} peers stay above ${LEAST_FRAMES_PER_SECOND} frames a second`, async () => {
    let best = 0
    for (let second = 0; second < FRAME_SECONDS && best <= LEAST_FRAMES_PER_SECOND; second++) {
      const frames = await page.evaluate(
        () =>
          new Promise<number>((done) => {
            const startMs = performance.now()
            let count = 0
            const next = () => {
              count++
              const spentMs = performance.now() - startMs
              if (spentMs < 1_000) requestAnimationFrame(next)
              else done((count * 1_000) / spentMs)
            }
            requestAnimationFrame(next)
          }),
      )
      best = Math.max(best, frames)
    }
    assert.ok(best > LEAST_FRAMES_PER_SECOND, `${best.toFixed(1)} frames a second`)
  })

  test('nothing of all this made the browser complain', () => {
    assert.deepEqual(complaints, [])
  })
})
