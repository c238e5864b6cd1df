/** The live plots: one small plot for each question, all over the time since the start. Drawn at most ten times a second. */
import { byId, clock, colour, mean, short } from './format.js'
import uPlot from './uplot.js'

/** @typedef {import('../http/history.ts').Point} Point */
/** What a line shows at a point, given the one before. @typedef {(point: Point, before: Point | undefined) => number | null | undefined} Of */
/** @typedef {{ name: string, of: Of }} Line */
/** @typedef {{ title: string, unit: string, log?: boolean, lines: readonly Line[], show?: (value: number | null | undefined) => string }} Question */

const LOSSES = ['train/loss', 'train/policy_loss', 'train/policy_gradient_loss', 'train/value_loss', 'train/entropy_loss', 'train/td_error']
const COLOURS = ['--curve-1', '--curve-2', '--curve-3', '--curve-4', '--curve-5']
/** Seconds between two marks of the time axis. */
const TIME_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400]
const DRAW_MS = 100
/** Beyond, every second of the older points goes; a reload shows the daemon's. */
const MOST_POINTS = 4_000

/** @param {readonly string[]} losses @returns {Question[]} */
function questions(losses) {
  const one = (/** @type {Of} */ of) => [{ name: '', of }]
  return [
    { title: 'Mean return', unit: 'last 100 episodes', lines: one((point) => point.returnMean), show: mean },
    { title: 'Steps per second', unit: 'of this peer', lines: one((point) => point.stepsPerSecond) },
    { title: 'Consensus distance', unit: 'RMS to the mean', log: true, lines: one((point) => point.consensusDistance) },
    { title: 'Staleness of mixed snapshots', unit: 'updates', lines: one((point) => point.staleness) },
    {
      title: 'Losses',
      unit: 'of the last update',
      lines: losses.map((name) => ({
        name: name.replace('train/', '').replaceAll('_', ' '),
        of: (/** @type {Point} */ point) => point.statistics[name],
      })),
      show: () => '',
    },
    {
      title: 'Network',
      unit: 'bytes per second',
      lines: [
        { name: 'received', of: (point, before) => rate(point, before, 'bytesIn') },
        { name: 'sent', of: (point, before) => rate(point, before, 'bytesOut') },
      ],
      show: () => '',
    },
  ]
}

/** @param {Point} point @param {Point | undefined} before @param {'bytesIn' | 'bytesOut'} what */
function rate(point, before, what) {
  if (before === undefined || point.seconds <= before.seconds) return null
  return (point[what] - before[what]) / (point.seconds - before.seconds)
}

export class Curves {
  /** @type {Point[]} */
  #points = []
  /** @type {Curve[]} */
  #curves = []
  #lossNames = ''
  #due = 0

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#rebuild())
    new ResizeObserver(() => {
      for (const curve of this.#curves) curve.fit()
    }).observe(byId('curves'))
  }

  /** @param {Point[]} points */
  start(points) {
    this.#points = points
    this.#rebuild()
  }

  /** @param {Point[]} points */
  add(points) {
    this.#points.push(...points)
    if (this.#points.length > MOST_POINTS) this.#points = this.#points.filter((_, i) => i % 2 === 0 || i > MOST_POINTS - 1_000)
    if (this.#due === 0) this.#due = window.setTimeout(() => this.#draw(), DRAW_MS)
  }

  #draw() {
    this.#due = 0
    if (this.#losses().join() !== this.#lossNames) this.#rebuild()
    else for (const curve of this.#curves) curve.draw(this.#points)
  }

  #losses() {
    const last = this.#points.at(-1)
    return last === undefined ? [] : LOSSES.filter((name) => name in last.statistics)
  }

  #rebuild() {
    for (const curve of this.#curves) curve.remove()
    const losses = this.#losses()
    this.#lossNames = losses.join()
    this.#curves = questions(losses).map((question) => new Curve(question))
    // Only now is it known how wide each one is.
    for (const curve of this.#curves) curve.draw(this.#points)
  }
}

class Curve {
  #question
  #card = element('div', 'curve')
  #host = element('div', 'plot')
  #last = document.createElement('b')
  /** @type {uPlot | null} */
  #plot = null

  /** @param {Question} question */
  constructor(question) {
    this.#question = question
    const head = document.createElement('h3')
    const note = document.createElement('span')
    note.append(`${question.unit} `, this.#last)
    head.append(question.title, note)
    this.#host.setAttribute('role', 'img')
    this.#host.setAttribute('aria-label', `${question.title}, ${question.unit}, over time; the figures above tell the latest`)
    this.#card.append(head, this.#host)
    const names = element('div', 'names')
    for (const [i, { name }] of question.lines.entries()) {
      const mark = document.createElement('i')
      mark.style.setProperty('--stroke', `var(${COLOURS[i % COLOURS.length]})`)
      const entry = document.createElement('span')
      if (name !== '') entry.append(mark, name)
      names.append(entry)
    }
    this.#card.append(names)
    byId('curves').append(this.#card)
  }

  /** @param {readonly Point[]} points */
  draw(points) {
    const { lines, log = false, show = short } = this.#question
    const series = lines.map(({ of }) =>
      points.map((point, i) => {
        const value = of(point, points[i - 1])
        return value === undefined || value === null || (log && value <= 0) ? null : value
      }),
    )
    const data = /** @type {uPlot.AlignedData} */ ([points.map((point) => point.seconds), ...series])
    if (this.#plot === null) this.#plot = new uPlot(this.#options(), data, this.#host)
    else this.#plot.setData(data)
    this.#last.textContent = show(series[0]?.at(-1))
  }

  fit() {
    const size = this.#size()
    if (this.#plot !== null && size.width !== this.#plot.width) this.#plot.setSize(size)
  }

  remove() {
    this.#plot?.destroy()
    this.#card.remove()
  }

  #size() {
    return { width: Math.max(120, this.#host.clientWidth), height: Math.max(80, this.#host.clientHeight) }
  }

  /** @returns {uPlot.Options} */
  #options() {
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' }
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { time: false }, y: this.#question.log === true ? { distr: 3 } : { range: aroundValues } },
      axes: [
        { ...axis, size: 26, space: 60, incrs: TIME_STEPS, values: (_, ticks) => ticks.map((tick) => clock(tick)) },
        { ...axis, size: 48, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : short(tick))) },
      ],
      series: [
        {},
        ...this.#question.lines.map((_, i) => ({
          stroke: colour(COLOURS[i % COLOURS.length] ?? ''),
          width: 1.6,
          spanGaps: true,
          points: { show: false },
        })),
      ],
    }
  }
}

/** A curve that never changed lies in the middle. @param {uPlot} _ @param {number | null} low @param {number | null} high @returns {uPlot.Range.MinMax} */
function aroundValues(_, low, high) {
  if (low === null || high === null) return [0, 1]
  const room = low === high ? Math.max(1, Math.abs(low) / 10) : 0
  return uPlot.rangeNum(low - room, high + room, 0.08, true)
}

/** @param {string} tag @param {string} name */
function element(tag, name) {
  const made = document.createElement(tag)
  made.className = name
  return made
}
