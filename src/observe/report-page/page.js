/* Draws the curves of a report from the data that the page carries, over time or over steps. */
;(() => {
  const data = JSON.parse(document.getElementById('data').textContent)
  const host = document.getElementById('plots')
  if (data === null) return
  let axis = 'time'

  /** 3725 -> "1:02:05" */
  function clock(seconds) {
    const whole = Math.max(0, Math.round(seconds))
    const two = (part) => String(part).padStart(2, '0')
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
    return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
  }
  const TIME_MARKS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 604_800]

  /** Steps go back where a life began again at its last checkpoint: what it did anew stands for both. */
  function kept(steps) {
    if (axis === 'time') return steps.map((_, i) => i)
    const from = []
    let least = Number.POSITIVE_INFINITY
    for (let i = steps.length - 1; i >= 0; i--) {
      if (steps[i] >= least) continue
      least = steps[i]
      from.push(i)
    }
    return from.reverse()
  }

  function xOf(seconds, steps, places) {
    const values = places.map((i) => (axis === 'time' ? seconds[i] : steps[i]))
    return axis === 'time' ? { label: 'time', values, show: clock, marks: TIME_MARKS } : { label: 'steps', values }
  }

  const spans = () =>
    data.restarts.map(([seconds, steps]) => (axis === 'time' ? { from: seconds, to: seconds } : { from: steps, to: steps }))

  function small(parent, title, about, lines, log) {
    const places = kept(data.steps)
    const shown = lines.filter(({ values }) => values !== null)
    if (shown.length === 0 || places.length < 2) return
    plots.draw({
      title,
      about,
      parent,
      height: 170,
      log,
      legend: shown.length > 1 ? undefined : false,
      spans: spans(),
      x: xOf(data.seconds, data.steps, places),
      series: shown.map((line) => ({ ...line, values: places.map((i) => line.values[i]) })),
    })
  }

  /** Training and evaluations lie on different places of the axis: one row for every place. */
  function returns(parent) {
    const rows = [
      ...data.returns.map(([seconds, steps, value]) => [seconds, steps, value, null, null]),
      ...data.evaluations.map(([seconds, steps, best, sampled]) => [seconds, steps, null, best, sampled]),
    ]
    rows.sort((a, b) => (axis === 'time' ? a[0] - b[0] : a[1] - b[1]))
    if (rows.length === 0) return
    const column = (i) => rows.map((row) => row[i])
    const all = rows.map((_, i) => i)
    const evaluated = data.evaluations.length > 0
    plots.draw({
      title: 'Mean return',
      about: `Last 100 training episodes${evaluated ? ', and evaluations of whole episodes' : ''}.${
        data.restarts.length > 0 ? ' Shaded: the daemon was started again.' : ''
      }`,
      parent,
      height: 300,
      spans: spans(),
      x: xOf(column(0), column(1), all),
      series: [
        { label: 'training', stroke: '--curve', values: column(2) },
        ...(evaluated ? [{ label: 'likeliest actions', stroke: '--third', values: column(3), dots: true }] : []),
        ...(evaluated && data.evaluations.some((row) => row[3] !== null)
          ? [{ label: 'sampled actions', stroke: '--fault', values: column(4), dots: true }]
          : []),
      ],
    })
  }

  function chooser(parent) {
    const group = plots.element('div', null, parent, 'chooser')
    group.setAttribute('role', 'group')
    group.setAttribute('aria-label', 'Axis of the curves')
    for (const [name, text] of [
      ['time', 'over time'],
      ['steps', 'over steps'],
    ]) {
      const button = plots.element('button', text, group)
      button.type = 'button'
      button.setAttribute('aria-pressed', String(axis === name))
      button.addEventListener('click', () => {
        axis = name
        again()
        host.querySelector('[aria-pressed="true"]').focus()
      })
    }
  }

  const again = plots.page(host, () => {
    chooser(host)
    returns(host)
    const grid = plots.element('div', null, host, 'grid')
    small(grid, 'Steps per second', 'Environment steps of this peer.', [{ label: 'steps/s', stroke: '--second', values: data.rate }])
    small(
      grid,
      'Consensus distance',
      'Of the replicas from their mean, over the size of the mean.',
      [{ label: 'distance', stroke: '--second', values: data.distance }],
      true,
    )
    small(
      grid,
      'Distance of mixes',
      'Of what was mixed to the own parameters, relative.',
      [{ label: 'distance', stroke: '--second', values: data.mixDistance }],
      true,
    )
    small(grid, 'Staleness of mixes', 'Updates of its author since.', [{ label: 'updates', stroke: '--second', values: data.staleness }])
    small(grid, 'Peers', 'Others that are alive.', [{ label: 'peers', stroke: '--third', values: data.peers }])
    if (data.traffic !== null) {
      small(grid, 'Network', 'Bytes per second.', [
        { label: 'received', stroke: '--third', values: data.traffic.received },
        { label: 'sent', stroke: '--fault', values: data.traffic.sent },
      ])
    }
    for (const { name, meaning, values } of data.statistics) {
      small(grid, name.replace(/^\w+\//, '').replaceAll('_', ' '), meaning, [{ label: name, stroke: '--curve', values }])
    }
    if (data.present.length > 0) {
      plots.timeline({
        title: 'Who was there',
        about: 'Other peers while this one ran: a bar while it heard them.',
        bars: data.present,
        first: 0,
        last: data.end,
        show: clock,
        parent: host,
        good: true,
      })
    }
  })
})()
