/** Limits of the peer: each with its unit and the reason for its value. */

/** Authors remembered; the least recently heard is forgotten first. 4096 states of about 2 KiB are 8 MiB. */
export const MAX_AUTHORS = 4096

/** Frames accepted and not yet mixed; 64 of at most 1 MiB each bound the memory that strangers can make us hold. */
export const MAX_PENDING_FRAMES = 64

/** Frames older than this are dropped unmixed: what a peer knew a minute ago is no longer news. */
export const MAX_FRAME_AGE_MS = 60_000

/** Authors whose normalisers are merged with our own, and for how long after they were last heard. */
export const MAX_NORMALISER_AUTHORS = 64
export const NORMALISER_AGE_MS = 600_000

/** A frame whose norm passes this multiple of our own parameters' is refused: no honest replica of one run is a thousand times another. */
export const MAX_NORM_RATIO = 1_000

/** Largest encoded snapshot that `auto` sends through gossip: everybody hears everybody's. */
export const AUTO_GOSSIP_FRAME_BYTES = 65_536

/** Largest one that goes through gossip at all. libp2p's gossip drops anything over 4 MiB without an error. */
export const MAX_GOSSIP_FRAME_BYTES = 1_048_576

/** Time between beacons: at least 2 s, and 50 ms per peer known, so that a swarm of any size hears at most 20 beacons a second. */
export const BEACON_PERIOD_MS = 2_000
export const BEACON_PERIOD_PER_PEER_MS = 50

/** After a connection opens the next beacon follows this soon, so that both sides know each other at once. */
export const GREETING_DELAY_MS = 150

/** Beacons accepted per author: 1 per second on average, 5 at once. */
export const BEACON_RATE_PER_SECOND = 1
export const BEACON_BURST = 5

/** Own beacons at once, when many connect: two fewer, so that neither a delayed one nor the goodbye is too many. */
export const OWN_BEACON_BURST = 3

/** A peer is `silent` after this many of its beacon periods without a word. */
export const SILENT_AFTER_PERIODS = 3

/**
 * A peer takes the swarm's epoch in one step only so long after its first round: five beacons of everybody in a small swarm, so that one that lied
 * alone is outvoted by then; later it moves by one a round, whatever it hears.
 */
export const ARRIVING_MS = 10_000

/** No swarm has had more rounds: one every 200 ms makes as many in 27 years. Claims above it count as this, and stay far from where counters end. */
export const MAX_EPOCH = 4_294_967_296

/** Rounds while the learner holds: mixing goes on, paced by time, because no updates pace it. */
export const HOLDING_PERIOD_MS = 200

/** Digest and sketch in beacons are refreshed at most this often. */
export const SKETCH_PERIOD_MS = 2_000

/** An author counts in swarm estimates this long after its last accepted mix. */
export const RECENT_MIX_MS = 30_000

/** A frozen snapshot is kept this long for the joiner that asked for it. */
export const FROZEN_SNAPSHOT_MS = 60_000

/** Snapshots served at once: each holds a copy of the model. */
export const MAX_DOWNLOADS_SERVED = 2

/** One dial of a join address: refused, another network or another version is known within this time. */
export const DIAL_TIMEOUT_MS = 5_000

/** One request of the state protocol; a range is at most 65,000 bytes, so even 64 KiB/s answers in 1 s. */
export const REQUEST_TIMEOUT_MS = 5_000

/** From dialling an address to the manifest that its peer sends: dialling and naming versions take up to 9 s, a person waits for 10. */
export const ANSWER_TIMEOUT_MS = 8_000

/** A peer without a run gets this long to finish its own joining, asked once per retry. */
export const NO_RUN_MS = 5_000
export const NO_RUN_RETRY_MS = 500

/** Checkpoints follow each other after this many seconds unless `--set checkpointSeconds` says so: what a crash may cost; a day at most. */
export const DEFAULT_CHECKPOINT_SECONDS = 60
export const MAX_CHECKPOINT_SECONDS = 86_400

/** Addresses of others are stored this often where they changed: whoever is killed finds a swarm again that is at most this much older. */
export const ADDRESSES_PERIOD_MS = 2_000

/** A peer that goes on from a checkpoint looks this long for one that is ahead before it trains: an unreachable address takes 5 s to be given up. */
export const CATCH_UP_TIMEOUT_MS = 5_000

/** Between two snapshots that an observer takes over: a dashboard stays live, and of a small model that is a few KiB a second. */
export const OBSERVE_PERIOD_MS = 5_000

/** An observer rests this many times as long as its last download took, so that it never fills a donor's places or link. */
export const OBSERVE_REST = 10

/** A whole join: addresses dialled, manifest read, first donor found. Half of it per address is plenty on any link that can average. */
export const JOIN_TIMEOUT_MS = 30_000

/** Authors whose beacons a joiner keeps to compare its donor's snapshot with: a median of so many is not moved by a few. */
export const MAX_HEARSAY_AUTHORS = 64

/** A snapshot that was adopted before others' beacons were heard is compared with them this much later: two beacons of everyone. */
export const ARRIVAL_CHECK_MS = 5_000

/** A peer that was met through a relay gets this long to be reached directly before a joiner gives up: two rounds of punching, five seconds each. */
export const DIRECT_TIMEOUT_MS = 10_000
export const DIRECT_POLL_MS = 100

/** Nobody but through relays for so long is told to the user: as long as it takes to see that no direct connection comes about. */
export const RELAYED_ONLY_AFTER_MS = 10_000

/** Waiting for a donor that is busy. */
export const BUSY_RETRY_MS = 500

/** A download of `bytes` may take 30 s plus one second per MiB. */
export const DOWNLOAD_BASE_MS = 30_000
export const DOWNLOAD_BYTES_PER_SECOND = 1_048_576

/** Connections a peer opens by itself towards authors that it hears of. More come from others; gossip needs about 6. */
export const TARGET_CONNECTIONS = 8

/** Redialling known addresses: first delay, doubling up to the last, each with jitter of a half. */
export const REDIAL_FIRST_MS = 1_000
export const REDIAL_LAST_MS = 30_000

/** Who has the higher id gives the other so long to dial through the relay first: three rounds of punching. */
export const RELAYED_TURN_MS = 15_000

/** Addresses kept per author and in all. */
export const MAX_ADDRESSES_PER_AUTHOR = 8

/** `stats` events. */
export const STATS_PERIOD_MS = 2_000

/** Leaving: goodbye, workers, flush, one after the other; the rest of the 2 s that Ctrl-C may take is for the process to end. */
export const STOP_TIMEOUT_MS = 1_500

/** What hangs until then may hang on: everything after it is undone at once, within this time. */
export const STOP_GRACE_MS = 250

/** Rounds of one peer, by default: a fast engine makes `period` updates in a few milliseconds and would flood the network. */
export const DEFAULT_MIN_PERIOD_MS = 200

/** Highest limit on a peer's environment steps a second that can be set: no engine is as fast, so more is a mistyped number. */
export const MAX_STEPS_PER_SECOND = 1_000_000_000

/** Longest time between rounds that can be asked for: an hour; more is no averaging. */
export const MAX_MIN_PERIOD_MS = 3_600_000

/** Updates between rounds that can be asked for: a million is no averaging. */
export const MAX_PERIOD_UPDATES = 1_000_000

/**
 * A moment of somebody else's optimiser counts for a difference of at most so many times the norm of the own one, unless nobody is distrusted.
 * Those of peers that learn alike are within 2; the first squares of a joiner are a thousandth of the others', and come up in four rounds.
 */
export const MOMENT_REACH = 10

/** Memory that a run may ask of this peer: models of 256 MiB with target and moments fit in 2 GiB. */
export const DEFAULT_MAX_MEMORY_BYTES = 2_147_483_648

/** Longest name of a run, in characters: one column of a table. */
export const MAX_NAME_LENGTH = 64

/** Addresses to join, listen on or announce; a person pastes one, a script a few. */
export const MAX_ADDRESSES_GIVEN = 64

/** `--until minutes`: a year. */
export const MAX_UNTIL_MINUTES = 525_600

/** `--wait-for-peers`. */
export const MAX_WAIT_FOR_PEERS = 64

/** Memory that one parameter takes in a peer: parameters, gradient, two moments, snapshots, a frozen copy and messages, 4 bytes each. */
export const BYTES_PER_PARAMETER = 48

/** The same for two moments that travel: the learner's snapshot, a copy, our message and theirs, what it decodes to, and the difference. */
export const BYTES_OF_TRAVELLING_MOMENTS = 2 * 6 * 4

/** What a snapshot may hold beside its parameters: a header and normalisers (an Atari frame's moments are 441 KiB). */
export const REPLICA_OVERHEAD_BYTES = 1_048_576

/** Below this trust an author is muted: three frames in a row that no honest peer sends. */
export const MUTE_BELOW = 0.2

/** From this trust on a muted author is heard again: eight minutes after the third offence. */
export const UNMUTE_AT = 0.5

/** What an author's trust lacks halves in this time. */
export const TRUST_HALF_LIFE_MS = 600_000

/** What an offence leaves of its author's trust: a half, where no honest peer can have made the message. */
export const DEFAULT_PENALTY = 0.5

/**
 * Causes that weigh otherwise. What comes too often is dropped anyway, and only a flood of it mutes; what is over a limit that all share is
 * nobody's fault; rewards that we cannot believe may be a great find; who stands far from all others for a while (average/limits.ts) lies or is lost, and is muted; a donor far from the beacons may have old ones; two messages of one number are a lie or a restored backup.
 */
export const PENALTIES: Readonly<Record<string, number>> = {
  rate_limited: 0.999,
  rate_limited_total: 1,
  quota: 1,
  far: 0.17,
  far_donor: 0.7,
  stale_beacon: 0.9,
  implausible_experience: 0.8,
  stale_version: 0.8,
}

/** Longest ban with an end, in seconds: ten years; beyond, one without an end is meant. */
export const MAX_BAN_SECONDS = 315_360_000

/** Cause of a ban, in characters: one line. */
export const MAX_BAN_WHY = 200

/** Characters at the end of a peer id that name it: 58^6 is forty billion. */
export const MIN_PEER_SUFFIX = 6

/** Beacons of all authors together, per second and at once: a swarm of any size sends at most 20 a second, and a new one greets in bursts. */
export const TOTAL_BEACON_RATE = { perSecond: 50, burst: 400 }

/**
 * Bytes of parameter frames, per second and at once, of one author and of all: each costs its digest and two passes on the main thread. A frame
 * counts as MIN_FRAME_COST_BYTES at least, so that small ones are bounded in number: 256 a second.
 */
export const FRAME_BYTE_RATE = { perSecond: 4_194_304, burst: 8_388_608 }
export const TOTAL_FRAME_BYTE_RATE = { perSecond: 33_554_432, burst: 67_108_864 }
export const MIN_FRAME_COST_BYTES = 16_384

/** Beyond this an author is not fast but floods, and pays in score where it is our neighbour: four times what is taken. */
export const FLOOD_BYTE_RATE = { perSecond: 16_777_216, burst: 33_554_432 }

/** Authors of one public address, and of one subnet, whose snapshots are mixed: a household or a laboratory; a sybil attack has one address. */
export const MAX_AUTHORS_PER_ADDRESS = 4
export const MAX_AUTHORS_PER_SUBNET = 8

/** Milliseconds after which an author that was not mixed gives its place up. */
export const QUOTA_MEMORY_MS = 60_000

/** `refused` events, per second and at once: a person reads no more, and a flood must not become one of our output. Counters miss none. */
export const TOLD_REFUSALS = { perSecond: 5, burst: 50 }

/** `--max-memory`: below, not even an idle peer fits; above, no machine has it. */
export const MIN_MAX_MEMORY_BYTES = 268_435_456
export const MAX_MAX_MEMORY_BYTES = 1_099_511_627_776

// Experience

/**
 * Where experience is shared, averaging comes so many times as seldom as the preset says: sharing alone was as fast or faster than both together
 * (npm run bench -- exploration), and peers that are averaged often explore alike.
 */
export const SHARING_PERIOD_TIMES = 10

/** Updates between two exchanges of experience: an author's rollouts are used once in 20 updates at most, a hundred batches have room for all offered transitions. */
export const EXPERIENCE_PERIOD_UPDATES = { transitions: 100, rollout: 20 } as const

/** Exchanges of experience come so many times as seldom as averaging rounds may at most: once a second by default, of at most EXPERIENCE_PULLS messages of 256 KiB. */
export const EXPERIENCE_PACE = 5

/** Peers that are asked for experience at a time: as many as may fill the largest share, a fifth, at a twentieth each. */
export const EXPERIENCE_PULLS = 4

/** Questions for experience that one peer may ask, per second and at once: five times what it can use; the answer may have 256 KiB. */
export const EXPERIENCE_REQUEST_RATE = { perSecond: 5, burst: 20 }

// Exchanges and pushes of parameters over direct requests

/** An exchange of frames of n bytes takes at most 10 s, plus 2 s for each MiB: both frames at 1 MiB/s. Who takes longer frees the place for others. */
export const EXCHANGE_BASE_MS = 10_000
export const EXCHANGE_BYTES_PER_SECOND = 1_048_576

/** Ranges of a frame asked for at once: the next are on their way while one is taken in. */
export const RANGES_AT_ONCE = 4

/** Times that a partner may ask for the whole of a frame: once, and what was lost again. */
export const MAX_PULLS = 2

/** Waiting for the partner that the rule names, in milliseconds, besides the time of an exchange: several rounds of a swarm in step, and no more than a slow one costs others. */
export const PAIR_BASE_MS = 1_000

/** Rounds that a partner may be behind and is still waited for: with `exponential`, who starts together can be log2 n apart, of 256 peers 8. */
export const MAX_ROUNDS_WAITED = 8

/**
 * A partner is slow when its last answer took longer than this many times the median of at least so many partners, and longer than an exchange of
 * two answers can take without costing a round of 200 ms. Answers of partners that are alike differ by less.
 */
export const SLOW_TIMES = 4
export const SLOW_LEAST_PARTNERS = 3
export const SLOW_LEAST_MS = 100

/** Partners whose last answers are timed: whom we are connected to. */
export const MAX_ANSWER_TIMES = 64

/** Partners whose exchange was answered before the own round came to it: whom we are connected to. */
export const MAX_PAIRS_ANSWERED = 64

/** Longest that a request is held while a snapshot or a digest is made, in milliseconds: well below the silence that ends a request. */
export const PATIENCE_MS = 2_000

/** Pauses between questions that were answered by `wait`, in milliseconds, doubling from the first to the last. */
export const WAIT_FIRST_MS = 10
export const WAIT_LAST_MS = 500

/** Partners that a round tries at random after the rule's own was busy or away. */
export const FALLBACK_PARTNERS = 2

/** Committed exchanges whose initiator has not said that they are settled; the design's limit. At 5 exchanges a second, a minute's worth. */
export const MAX_OUTCOMES = 256

/** Asking for a lost outcome: first and last pause in milliseconds, doubling; given up after ten minutes, when most crashed peers are back. */
export const ASK_AGAIN_FIRST_MS = 500
export const ASK_AGAIN_LAST_MS = 30_000
export const GIVE_UP_MS = 600_000

/** Differences kept for exchanges whose outcome is unknown, in bytes: one model of the largest size. */
export const MAX_UNSETTLED_BYTES = 268_435_456

/** Exchanges are told as settled together: after this many milliseconds, or at once when there are so many. */
export const SETTLED_DELAY_MS = 5_000
export const SETTLED_MANY = 64

/** Weights of push-sum that are sent and taken: halves of halves lose no precision, and one peer does not hold the whole swarm. */
export const MIN_PUSH_WEIGHT = 1 / 64
export const MAX_PUSH_WEIGHT = 64

/** Messages of push-sum that wait to be mixed, and own ones that wait for an answer: each holds a model. */
export const MAX_PUSHES_KEPT = 16

/** Names of messages taken that are remembered, so that none is taken twice: ten minutes of retries at five a second. */
export const MAX_PUSHES_REMEMBERED = 4_096

/** Asking a busy server again: milliseconds, half of them at random, and how often in one round. */
export const SERVER_RETRY_MS = 20
export const SERVER_ATTEMPTS = 50

/** Own rounds for which an author that was mixed counts as a peer to the learning rate: partners at random come back within them. */
export const RATE_MEMORY_ROUNDS = 10

/** Exchanges that never settled and are remembered one by one: a person looks at the latest few, sums are kept of all. */
export const MAX_LEDGER_ENTRIES = 256

/** Longest period that `--period auto` comes to by itself, in updates: minutes of a slow learner, which is as long as a joiner should wait for a mix. */
export const MOST_AUTO_PERIOD_UPDATES = 10_000

/** Events that wait until the run they belong to is known: warnings of a start, of which there are a few. */
export const MAX_EARLY_EVENTS = 256
