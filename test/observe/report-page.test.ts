/** The page about a run: what it shows, that nothing hostile in it comes alive, and that it needs nothing but itself (in real Chromium). */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import axe from 'axe-core'
import { pageParts } from '../../src/cli/page-parts.ts'
import { reportPage } from '../../src/observe/report-page.ts'
import { RunRecord } from '../../src/observe/run-record.ts'
import type { RunReport } from '../../src/observe/run-report.ts'
import { status } from '../cli/fake.ts'
import { launchBrowser, skipWithoutBrowser } from '../support/browser.ts'

const EVIL = `</script><img src=x onerror="alert('evil')">`
const parts = await pageParts('report-page')

function recordOf(evil: string): RunRecord {
  const record = new RunRecord()
  record.begin(
    { peer: 'me', run: 'ab'.repeat(32), version: 'grapevine/1.0', manifest: {}, settings: {} },
    { seconds: 0, unixSeconds: 1_700_000_000, incarnation: 1, steps: 0 },
  )
  const numbers = { updates: 1, episodes: 1, peers: 1, consensusDistance: 0.01 }
  for (let i = 1; i <= 50; i++) {
    const seconds = 2 * i
    record.takeReturn(seconds, 100 * i, 10 * i)
    record.take(
      { event: 'stats', steps: 100 * i, stepsPerSecond: 50, returnMean: 10 * i, bytesIn: 10 * i, bytesOut: 5 * i, ...numbers },
      seconds,
      () => ({
        'train/value_loss': 1 / i,
        [evil]: i,
      }),
    )
  }
  record.begin(
    { peer: 'me', run: 'ab'.repeat(32), version: 'grapevine/1.0', manifest: {}, settings: {} },
    { seconds: 100, unixSeconds: 1_700_001_000, incarnation: 2, steps: 4_900 },
  )
  record.take({ event: 'evaluation', steps: 1_000, deterministic: 321.5, stochastic: 300, episodes: 20 }, 20, () => ({}))
  record.take({ event: 'peer', id: evil, state: 'alive' }, 30, () => ({}))
  for (let i = 0; i < 3; i++) record.take({ event: 'refused', peer: evil, code: 'not_finite' }, 40, () => ({}))
  record.take({ event: 'warning', code: 'far_apart', message: `far ${evil}` }, 50, () => ({}))
  record.take({ event: 'solved', steps: 2_000, seconds: 40, returnMean: 475 }, 41, () => ({}))
  record.take({ event: 'mix', with: evil, strategy: evil, distance: 0.5, staleness: 3, stalenessMs: 12, bytes: 5_000 }, 99, () => ({}))
  record.take({ event: 'stopped', reason: 'interrupted', steps: 5_000 }, 110, () => ({}))
  const peer = {
    id: evil,
    state: 'alive',
    steps: 5,
    returnMean: 7,
    mixes: 9,
    refused: 3,
    trust: 0.5,
    muted: false,
    version: 1,
    connected: true,
    relayed: false,
  } as const
  record.stand(
    { ...status, name: evil, steps: 5_000, peers: [{ ...peer, heardSecondsAgo: 1, mixedSecondsAgo: null, causes: { not_finite: 3 } }] },
    110,
  )
  return record
}

function reportOf(record: RunRecord | null, changes: Partial<RunReport> = {}): RunReport {
  return {
    title: `CartPole-v1 with a2c ${EVIL}`,
    name: EVIL,
    running: false,
    replica: { run: 'ab'.repeat(32), peer: EVIL, steps: 5_000, updates: 600, version: 600, returnMean: 490 },
    record,
    checkpoints: [
      {
        name: '00000002-ab.safetensors',
        best: false,
        problem: null,
        bytes: 126_000,
        facts: { savedAtUnixSeconds: 1_700_000_000, incarnation: 1, version: 5, steps: 50, returnMean: 480, evaluation: null },
      },
      { name: EVIL, best: true, problem: `its checksum ${EVIL}`, facts: null, bytes: 3 },
    ],
    manifest: { environment: { id: 'CartPole-v1', options: { [EVIL]: EVIL } }, network: { torso: [{ units: 64 }, { units: 64 }] } },
    settings: { listen: ['/ip4/127.0.0.1/tcp/0'], quiet: false, allow: null },
    missing: [`missing ${EVIL}`],
    meanings: { 'train/value_loss': 'mean squared error' },
    version: '0.1.0',
    unixSeconds: 1_700_100_000,
    ...changes,
  }
}

/** Texts between tags. */
const textOf = (html: string) => html.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, '').replace(/<[^>]*>/g, '\n')

test('it tells how the run stands, ended, and what went wrong', () => {
  const text = textOf(reportPage(reportOf(recordOf('12D3KooWfriend1')), parts)).replace(/\n+/g, ' ')
  for (const told of [
    'run abababababab',
    'stopped: interrupted',
    'Mean return 500.0',
    'Best evaluation 321.5',
    'Solved after 2.00k steps',
    'Steps 5.00k',
    'Other peers 1',
    'Starts 2',
    'a message of ..Wfriend1: not_finite 3',
    'warning far_apart',
    'damaged: its checksum',
    '480.0 in training 126kB',
    'environment.id CartPole-v1',
    'network.torso.1.units 64',
    'listen /ip4/127.0.0.1/tcp/0',
    'not_finite 3',
    'Made on 2023-11-16 02:00 UTC by Grapevine 0.1.0',
  ])
    assert.ok(text.includes(told), `${told} in ${text}`)
})

test('without a record it says what is missing and has no curves', () => {
  const page = reportPage(reportOf(null, { missing: ['This is one checkpoint: it has no curves.'], checkpoints: [] }), parts)
  assert.match(page, /This is one checkpoint: it has no curves\./)
  assert.match(page, /id="data">null</)
  assert.doesNotMatch(textOf(page), /Warnings|Evaluations|Checkpoints/)
})

test('what others named stays text, and nothing is loaded from anywhere', () => {
  const page = reportPage(reportOf(recordOf(EVIL)), parts)
  assert.ok(!page.includes(EVIL))
  assert.ok(!/<img/.test(page))
  assert.equal(page.match(/<script/g)?.length, 4)
  assert.match(page, /default-src 'none'/)
  assert.ok(!/(src|href)\s*=\s*["']/.test(textOf(page)))
})

describe('in a browser', { skip: skipWithoutBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-report-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('it draws its curves from the file alone, over time and over steps, wide and narrow, light and dark, for everyone', async (context) => {
    const file = join(folder, 'report.html')
    writeFileSync(file, reportPage(reportOf(recordOf(EVIL)), parts))
    for (const options of [{ width: 1200 }, { width: 390, dark: true }]) {
      const browser = await launchBrowser(options)
      context.after(() => browser.close())
      const page = await browser.context.newPage()
      const complaints: string[] = []
      const requests: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('dialog', (dialog) => {
        complaints.push(`dialog ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(`file://${file}`)
      await page.waitForSelector('.uplot canvas')
      // Return, rate, distance, distance of mixes, staleness, peers, network, two statistics: some hold one value only.
      const plots = await page.$$eval('.uplot', (all) => all.length)
      assert.ok(plots >= 6, `${plots} plots`)
      assert.equal(await page.$eval('.uplot canvas', (canvas) => (canvas as HTMLCanvasElement).width > 200), true)
      await page.click('button:has-text("over steps")')
      assert.equal(await page.$$eval('.uplot', (all) => all.length), plots)
      assert.match(await page.innerText('.u-legend'), /steps/)
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.equal(wider, 0, 'nothing sticks out sideways')
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
        [],
      )
      assert.deepEqual(complaints, [])
      assert.deepEqual(requests, [`file://${file}`])
    }
  })
})
