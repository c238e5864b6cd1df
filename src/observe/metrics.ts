/**
 * The metrics of `metric-specs.ts` with the values of one peer, in Prometheus' text format. Totals and standings are read when they are
 * scraped; only mixes and refusals are counted as they happen.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { GrapevineError } from '../util/errors.ts'
import type { PeerEvent, PeerState } from './events.ts'
import type { Observed } from './http/source.ts'
import { METRICS, type MetricName, type MetricSpec } from './metric-specs.ts'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  count(event: PeerEvent): void
  close(): void
}

const STATES: readonly PeerState[] = ['connecting', 'alive', 'silent', 'left', 'banned']
/** Counters of a status that have metrics of their own. */
const OWN_METRIC = /^(bytesIn|bytesOut|refused_.*|experience.*)$/
/** Resolution of the event loop's delay, which counts this much for a loop without delay. */
const DELAY_RESOLUTION_MS = 10

/** Whoever makes them closes them. */
export function createMetrics(observed: Observed): Metrics {
  const registry = new Registry()
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  const gauges = new Map<MetricName, Gauge>()
  const counters = new Map<MetricName, Counter>()
  const histograms = new Map<MetricName, Histogram>()
  for (const [name, { kind, help, labels, buckets }] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
    const configuration = { name, help, labelNames: [...labels], registers: [registry] }
    if (kind === 'gauge') gauges.set(name, new Gauge(configuration))
    else if (kind === 'counter') counters.set(name, new Counter(configuration))
    else histograms.set(name, new Histogram({ ...configuration, buckets: [...(buckets ?? [])] }))
  }
  /** Replaces what was there; unknown values are left out. */
  const set = (name: MetricName, values: readonly (readonly [labels: Record<string, string>, value: number | null])[]) => {
    const gauge = gauges.get(name)
    const counter = counters.get(name)
    gauge?.reset()
    counter?.reset()
    // A metric without labels is 0 after a reset, which would be a claim.
    if (values.every(([, value]) => value === null)) (gauge ?? counter)?.remove({})
    for (const [labels, value] of values) {
      if (value === null) continue
      gauge?.set(labels, value)
      counter?.inc(labels, value)
    }
  }
  const one = (name: MetricName, value: number | null) => set(name, [[{}, value]])

  const collect = () => {
    const status = statusOf(observed)
    if (status !== null) {
      const { peer, run, name, environment, algorithm, strategy, engine, version } = status
      set('grapevine_info', [[{ peer, run, name, environment, algorithm, strategy, engine, version }, 1]])
      one('grapevine_uptime_seconds', status.uptimeSeconds)
      one('grapevine_steps_total', status.steps)
      one('grapevine_updates_total', status.updates)
      one('grapevine_episodes_total', status.episodes)
      one('grapevine_steps_per_second', status.stepsPerSecond)
      one('grapevine_return_mean', status.returnMean)
      one('grapevine_paused', status.paused ? 1 : 0)
      one('grapevine_consensus_distance_ratio', status.consensusDistance)
      set(
        'grapevine_peers',
        STATES.map((state) => [{ state }, status.peers.filter((other) => other.state === state).length]),
      )
      one('grapevine_network_received_bytes_total', status.counters.bytesIn ?? null)
      one('grapevine_network_sent_bytes_total', status.counters.bytesOut ?? null)
      set(
        'grapevine_experience_total',
        Object.entries(status.counters).flatMap(([counter, value]) => {
          const [, direction] = /^experience(.+)$/.exec(counter) ?? []
          return direction === undefined ? [] : [[{ direction: direction.toLowerCase() }, value] as const]
        }),
      )
      const named = Object.entries(status.counters).filter(([counter]) => !OWN_METRIC.test(counter))
      set(
        'grapevine_averaging_events_total',
        named.map(([counter, value]) => [{ name: counter }, value]),
      )
    }
    set(
      'grapevine_training',
      Object.entries(observed.statistics()).map(([statistic, value]) => [{ name: statistic }, value]),
    )
    const cpuMs = observed.learnerCpuMs()
    one('grapevine_learner_cpu_seconds_total', cpuMs === null ? null : cpuMs / 1_000)
    const { user, system } = process.cpuUsage()
    one('grapevine_process_cpu_seconds_total', (user + system) / 1e6)
    one('grapevine_process_resident_bytes', process.memoryUsage.rss())
    one('grapevine_event_loop_delay_seconds', Math.max(0, delay.percentile(99) / 1e9 - DELAY_RESOLUTION_MS / 1e3))
    delay.reset()
  }

  return {
    contentType: registry.contentType,
    text() {
      collect()
      return registry.metrics()
    },
    count(event) {
      if (event.event === 'refused') counters.get('grapevine_refused_total')?.inc({ code: event.code })
      if (event.event !== 'mix') return
      counters.get('grapevine_mixes_total')?.inc({ strategy: event.strategy })
      counters.get('grapevine_mix_received_bytes_total')?.inc(event.bytes)
      if (event.distance !== null) histograms.get('grapevine_mix_distance_ratio')?.observe(event.distance)
      if (event.staleness !== null) histograms.get('grapevine_mix_staleness_updates')?.observe(event.staleness)
      if (event.stalenessMs !== null) histograms.get('grapevine_mix_staleness_seconds')?.observe(event.stalenessMs / 1_000)
    },
    close() {
      delay.disable()
      registry.clear()
    },
  }
}

function statusOf(observed: Observed) {
  try {
    return observed.status()
  } catch (error) {
    if (error instanceof GrapevineError) return null
    throw error
  }
}
