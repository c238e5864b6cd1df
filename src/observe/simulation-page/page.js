/* Draws the plots of a simulation from the data that the page carries. */
;(() => {
  const data = JSON.parse(document.getElementById('data').textContent)
  const plots = []

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const short = (value) => {
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
    const made = document.createElement(tag)
    if (text !== null) made.textContent = text
    if (className !== undefined) made.className = className
    parent.append(made)
    return made
  }

  function section(title, about, parent) {
    const made = element('section', null, parent)
    element('h2', title, made)
    element('p', about, made)
    return element('div', null, made, 'plot')
  }

  /** Behind the curves, when something was wrong. */
  function shadeFaults(plot) {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.fillStyle = colour('--fault-soft')
    for (const fault of data.faults) {
      const from = plot.valToPos(fault.from, 'x', true)
      const to = plot.valToPos(fault.to, 'x', true)
      const left = Math.max(bbox.left, from)
      const right = Math.min(bbox.left + bbox.width, Math.max(to, from + 2))
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
    }
    ctx.restore()
  }

  function draw({ title, about, series, bands, log, parent, height }) {
    const target = section(title, about, parent)
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
      font: '12px system-ui',
    }
    const options = {
      width: target.clientWidth,
      height,
      legend: { show: true, live: true },
      cursor: { sync: { key: 'simulation' } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      series: [
        { label: data.xLabel, value: (_, value) => short(value) },
        ...series.map(({ label, stroke, width }) => ({
          label,
          stroke: colour(stroke),
          width: width ?? 2,
          points: { show: false },
          value: (_, value) => short(value),
        })),
      ],
      bands: bands ? [{ series: bands, fill: colour('--band') }] : [],
      axes: [
        { ...axis, label: data.xLabel, labelSize: 22, labelFont: '12px system-ui', values: (_, ticks) => ticks.map(short) },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : short(tick))) },
      ],
      hooks: { drawClear: [shadeFaults] },
    }
    const values = series.map(({ values }) => (log ? values.map((value) => (value > 0 ? value : null)) : values))
    const plot = new uPlot(options, [data.x, ...values], target)
    plots.push({ plot, target, height })
  }

  function timeline(parent) {
    if (data.faults.length === 0) return
    const made = element('section', null, parent)
    element('h2', 'What went wrong', made)
    element('p', 'Each bar is a step of the scenario; the same times are shaded in the plots.', made)
    const grid = element('div', null, made, 'timeline')
    const [first, last] = [data.x[0], Math.max(data.x[data.x.length - 1], data.x[0] + 1e-9)]
    const place = (value) => Math.min(100, Math.max(0, ((value - first) / (last - first)) * 100))
    const rows = new Map()
    for (const fault of data.faults) {
      if (!rows.has(fault.label)) rows.set(fault.label, [])
      rows.get(fault.label).push(fault)
    }
    for (const [label, faults] of rows) {
      element('span', label, grid)
      const track = element('div', null, grid, 'track')
      for (const { from, to } of faults) {
        const bar = element('i', null, track)
        bar.style.left = `${place(from)}%`
        bar.style.width = `${place(to) - place(from)}%`
        bar.title = `${label}, from ${short(from)} to ${short(to)}`
      }
    }
  }

  function build() {
    const main = document.getElementById('plots')
    main.replaceChildren()
    plots.length = 0
    timeline(main)
    if (data.returns !== null) {
      draw({
        title: 'Mean return',
        about: 'Last 100 episodes of each peer: the mean over peers, and from the lowest to the highest.',
        parent: main,
        height: 300,
        bands: [3, 2],
        series: [
          { label: 'mean', stroke: '--curve', values: data.returns.mean },
          { label: 'lowest', stroke: '--band', width: 1, values: data.returns.low },
          { label: 'highest', stroke: '--band', width: 1, values: data.returns.high },
        ],
      })
    }
    const pair = element('div', null, main, 'pair')
    draw({
      title: 'Consensus distance',
      about: 'Root mean square of what parameters differ from their mean over the swarm.',
      parent: pair,
      height: 240,
      log: true,
      series: [{ label: 'distance', stroke: '--second', values: data.distance }],
    })
    draw({
      title: 'Bytes sent',
      about: 'By all peers together, so far.',
      parent: pair,
      height: 240,
      series: [{ label: 'bytes', stroke: '--third', values: data.bytes }],
    })
  }

  build()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', build)
  addEventListener('resize', () => {
    for (const { plot, target, height } of plots) plot.setSize({ width: target.clientWidth, height })
  })
})()
