/* Plots for pages that stand alone, over uPlot, in the colours of their style sheet. Defines `plots` for the page's own script. */
globalThis.plots = (() => {
  const made = []

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

  /** Three digits and a unit. */
  function short(value) {
    if (value === null || value === undefined) return '-'
    if (value === 0) return '0'
    const size = Math.abs(value)
    for (const [unit, scale] of [
      ['T', 1e12],
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ]) {
      if (size >= scale) return `${Number((value / scale).toPrecision(3))}${unit}`
    }
    return size >= 1e-3 ? String(Number(value.toPrecision(3))) : value.toExponential(1)
  }

  function element(tag, text, parent, className) {
    const one = document.createElement(tag)
    if (text !== null) one.textContent = text
    if (className !== undefined) one.className = className
    parent.append(one)
    return one
  }

  /** A card with a title and a line about what it shows; returns the card. */
  function card(title, about, parent) {
    const one = element('section', null, parent)
    element('h2', title, one)
    element('p', about, one)
    return one
  }

  /** Behind the curves: `spans` are { from, to } on the x axis. */
  function shaded(spans) {
    return (plot) => {
      const { ctx, bbox } = plot
      ctx.save()
      ctx.fillStyle = colour('--fault-soft')
      for (const span of spans) {
        const from = plot.valToPos(span.from, 'x', true)
        const to = plot.valToPos(span.to, 'x', true)
        const left = Math.max(bbox.left, from)
        const right = Math.min(bbox.left + bbox.width, Math.max(to, from + 2))
        if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
      }
      ctx.restore()
    }
  }

  /** A curve that never changed lies in the middle. */
  function around(_, low, high) {
    if (low === null || high === null) return [0, 1]
    const room = low === high ? Math.max(1e-9, Math.abs(low) / 10) : 0
    return uPlot.rangeNum(low - room, high + room, 0.08, true)
  }

  /**
   * Draws `series` ({ label, stroke, values, width, dots, dash }) over `x` ({ label, values, show }) into a new card of `parent`.
   * `bands`: two indices of series, from 1, with what lies between filled. `legend` false: the last value stands beside the title instead.
   */
  function draw({ title, about, x, series, bands, log, parent, height, spans, legend }) {
    const target = element('div', null, card(title, about, parent), 'plot')
    if (legend === false) {
      const last = series[0].values.findLast((value) => value !== null && value !== undefined)
      element('b', short(last), target.parentElement.firstElementChild, 'last')
    }
    const show = x.show ?? short
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
      font: '12px system-ui',
    }
    const named = legend === false ? { size: 28 } : { label: x.label, labelSize: 22, labelFont: '12px system-ui' }
    const options = {
      width: target.clientWidth,
      height,
      legend: { show: legend !== false, live: true },
      cursor: { sync: { key: 'page' } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: around } },
      series: [
        { label: x.label, value: (_, value) => show(value) },
        ...series.map(({ label, stroke, width, dots, dash }) => ({
          label,
          stroke: colour(stroke),
          width: dots ? 0 : (width ?? 2),
          spanGaps: true,
          dash,
          points: dots ? { show: true, size: 6, fill: colour(stroke) } : { show: false },
          value: (_, value) => short(value),
        })),
      ],
      bands: bands ? [{ series: bands, fill: colour('--band') }] : [],
      axes: [
        { ...axis, ...named, incrs: x.marks, space: legend === false ? 60 : 50, values: (_, ticks) => ticks.map(show) },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : short(tick))) },
      ],
      hooks: { drawClear: [shaded(spans ?? [])] },
    }
    const values = series.map(({ values }) => (log ? values.map((value) => (value > 0 ? value : null)) : values))
    made.push({ plot: new uPlot(options, [x.values, ...values], target), target, height })
  }

  /** A row for each label with its bars: `bars` are { label, from, to }, from `first` to `last`; `good`: of something welcome. */
  function timeline({ title, about, bars, first, last, show, parent, good }) {
    const grid = element('div', null, card(title, about, parent), good ? 'timeline good' : 'timeline')
    const width = Math.max(last - first, 1e-9)
    const place = (value) => Math.min(100, Math.max(0, ((value - first) / width) * 100))
    for (const [label, own] of Map.groupBy(bars, (bar) => bar.label)) {
      element('span', label, grid)
      const track = element('div', null, grid, 'track')
      for (const { from, to } of own) {
        const bar = element('i', null, track)
        bar.style.left = `${place(from)}%`
        bar.style.width = `${place(to) - place(from)}%`
        bar.title = `${label}, from ${show(from)} to ${show(to)}`
      }
    }
  }

  /** Calls `build` now and whenever colours change, with an empty `main` to fill. */
  function page(main, build) {
    const again = () => {
      main.replaceChildren()
      made.length = 0
      build(main)
    }
    again()
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again)
    addEventListener('resize', () => {
      for (const { plot, target, height } of made) plot.setSize({ width: target.clientWidth, height })
    })
    return again
  }

  return { card, draw, element, page, short, timeline }
})()
