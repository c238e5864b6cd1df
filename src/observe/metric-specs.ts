/**
 * Every metric by name, with its unit in the name and what it means. `/metrics` serves them, the glossary (docs/metrics.md) is made from them.
 */
export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[]
}

const spec = (kind: MetricSpec['kind'], help: string, labels: readonly string[] = []): MetricSpec => ({ kind, help, labels })

export const METRICS = {
  grapevine_info: spec('gauge', 'What runs here; always 1.', [
    'peer',
    'run',
    'name',
    'environment',
    'algorithm',
    'strategy',
    'engine',
    'version',
  ]),
  grapevine_uptime_seconds: spec('gauge', 'Since the daemon began.'),
  grapevine_steps_total: spec('counter', 'Environment steps of this peer.'),
  grapevine_updates_total: spec('counter', 'Optimiser steps of this peer.'),
  grapevine_episodes_total: spec('counter', 'Training episodes of this peer that ended.'),
  grapevine_steps_per_second: spec('gauge', 'Environment steps of this peer in one second, over the last two seconds.'),
  grapevine_return_mean: spec(
    'gauge',
    'Mean raw return of the last 100 training episodes of this peer; absent before the first episode ends.',
  ),
  grapevine_paused: spec('gauge', '1 while a person has paused this peer, else 0.'),
  grapevine_peers: spec('gauge', 'Peers known, by state: connecting, alive, silent, left, banned.', ['state']),
  grapevine_consensus_distance_ratio: spec(
    'gauge',
    'Root mean square distance of the replicas from their mean, over the size of the mean, estimated from the sketches in beacons; absent while unknown.',
  ),
  grapevine_mixes_total: spec('counter', 'Snapshots of other peers mixed into this replica.', ['strategy']),
  grapevine_mix_distance_ratio: {
    ...spec('histogram', 'Norm of the difference to a mixed snapshot over the norm of the own parameters.'),
    buckets: [1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1],
  },
  grapevine_mix_staleness_updates: {
    ...spec('histogram', 'Updates that the author of a mixed snapshot had made since it took it, as far as its beacons tell.'),
    buckets: [0, 1, 10, 100, 1_000, 10_000],
  },
  grapevine_mix_staleness_seconds: {
    ...spec('histogram', 'Age of a snapshot when it was mixed, from its arrival.'),
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
  },
  grapevine_mix_received_bytes_total: spec('counter', 'Bytes of the frames mixed.'),
  grapevine_refused_total: spec('counter', 'Messages of other peers refused, by the reason.', ['code']),
  grapevine_experience_total: spec(
    'counter',
    'Shared experience, in transitions or steps of rollouts, by what became of it: in (taken from others), out (given to them); and, in messages: refused, unanswered, withheld (own, that nobody could take). Absent where none is shared.',
    ['direction'],
  ),
  grapevine_network_received_bytes_total: spec('counter', 'Bytes received from all peers, protocol overhead included.'),
  grapevine_network_sent_bytes_total: spec('counter', 'Bytes sent to all peers, protocol overhead included.'),
  grapevine_averaging_events_total: spec(
    'counter',
    'Counters of the averaging, by name, as `grapevine status` shows them: rounds, published, undelivered, roundsFailed, framesDropped, messagesLate, snapshotsServed and more by strategy.',
    ['name'],
  ),
  grapevine_training: spec('gauge', 'Statistics of the last update, by name, as the algorithm reports them.', ['name']),
  grapevine_learner_cpu_seconds_total: spec('counter', "CPU time of the learner's thread; absent where the system does not tell."),
  grapevine_process_cpu_seconds_total: spec('counter', 'CPU time of the whole process, user and system.'),
  grapevine_process_resident_bytes: spec('gauge', 'Resident memory of the process.'),
  grapevine_event_loop_delay_seconds: spec(
    'gauge',
    'How late timers of the main thread were, 99th percentile since the last scrape; sockets wait as long.',
  ),
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS
