/* Draws the plots of a simulation from the data that the page carries. */
;(() => {
  const data = JSON.parse(document.getElementById('data').textContent)
  const x = { label: data.xLabel, values: data.x }

  function draw(plot) {
    plots.draw({ ...plot, x, spans: data.faults })
  }

  function build(main) {
    if (data.faults.length > 0) {
      plots.timeline({
        title: 'What went wrong',
        about: 'Each bar is a step of the scenario; the same times are shaded in the plots.',
        bars: data.faults,
        first: data.x[0],
        last: data.x[data.x.length - 1],
        show: plots.short,
        parent: main,
      })
    }
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
    const pair = plots.element('div', null, main, 'pair')
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

  plots.page(document.getElementById('plots'), build)
})()
