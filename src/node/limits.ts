/** Limits of the adapters to Node: each with its unit and the reason for its value. */

import { LARGE_BYTES } from '../util/memory.ts'

/** Longest single timer, in milliseconds: beyond 2^31 - 1 Node fires at once instead of later. */
export const MAX_TIMER_MS = 2_147_483_647

/** Default data folders tried (`default`, `default-2`, ...): more daemons than this on one machine want folders of their own. */
export const MAX_DEFAULT_FOLDERS = 256

/** A lock file that is being written can be read half; it is read again after this many milliseconds before it counts as broken. */
export const LOCK_REREAD_MS = 50

/** Removing a dead lock takes a few milliseconds; what guards it for longer than this, and does not say for whom, was left by a crash. */
export const TAKEOVER_MAX_MS = 2_000

/** Milliseconds for which others may be quicker to lock a folder, before something else is wrong with it. */
export const LOCK_MAX_MS = 6_000

/** Longest socket path in bytes: the kernel takes 108 (Linux) or 104 (macOS) and Node cuts longer ones without a word. */
export const MAX_SOCKET_PATH_BYTES = 100

/** One request line to the daemon; the longest command with its JSON around is below 100 bytes. */
export const MAX_CONTROL_REQUEST_BYTES = 4_096

/** One answer: a status with 4096 authors of 200 bytes each fits. */
export const MAX_CONTROL_ANSWER_BYTES = 4_194_304

/** Control connections at once: a person and a few scripts. */
export const MAX_CONTROL_CONNECTIONS = 16

/** A connected client that asks nothing for this long is hung up on; a daemon that answers nothing for this long is reported. */
export const CONTROL_TIMEOUT_MS = 5_000

/** `stop` waits this long for the daemon to be gone: it has 2 s to leave, and a busy machine gets five times that. */
export const STOP_WAIT_MS = 10_000

/** How often `stop` looks whether the daemon is gone. */
export const STOP_POLL_MS = 25

/** Milliseconds that a learner thread has to reach its next update boundary and leave, before it is ended; the peer's leaving has 2 s in all. */
export const LEARNER_STOP_MS = 500

/** Bytes above which a pass over an array leaves the main thread: what is larger lies in shared memory. */
export const INLINE_PASS_BYTES = LARGE_BYTES

/** Milliseconds that one stage of a trial may take (importing a module, making its environment, a reset): a thousand times what small ones need. */
export const TRIAL_MS = 10_000

/** Milliseconds without a step after which an actor counts as hung: the slowest environments (Python's first import) take a fraction of it. */
export const ACTOR_HANG_MS = 30_000

/** Milliseconds without an end of one step after which an environment in the learner's own thread counts as hung: as of actors. */
export const LEARNER_HANG_MS = 30_000

/** Milliseconds between two looks at that step. They are counted, not measured: while this process stood still no step could end either. */
export const LEARNER_WATCH_MS = 1_000

/** Milliseconds between two copies of the state of a learner whose environment may hang: what is lost at most, and far more than a copy takes. */
export const LEARNER_KEEP_MS = 10_000

/** Milliseconds between two looks at the actors: a hundredth of what it takes to be hung is soon enough. */
export const ACTOR_WATCH_MS = 300

/** First pause before an actor that failed starts again, in milliseconds; doubles in one thread from fault to fault. */
export const ACTOR_PAUSE_MS = 100

/** Longest such pause. */
export const MAX_ACTOR_PAUSE_MS = 5_000

/** A swarm key or an allow-list in bytes: ten thousand peer ids with comments. */
export const MAX_ACCESS_FILE_BYTES = 1_048_576

/** Milliseconds between two steps of the policy that plays for a watcher: 30 a second, CartPole a little slower than life. */
export const PLAY_STEP_MS = 33

/** Milliseconds between two replicas for it: progress can be seen, and a copy of the parameters costs the learner little. */
export const PLAY_REPLICA_MS = 2_000

/**
 * How far behind the main thread learning, acting and evaluating stand for the processor, of 19: half its share where cores are few. Peers wait for
 * the main thread's answers; nobody waits for one update.
 */
export const LEARNER_NICENESS = 3

/** And the policy that plays for a watcher: a third of a learner's share, so that it still plays where cores are few. */
export const PLAY_NICENESS = 8

/** Milliseconds between two ticks of the patient clock, and the longest that counts between them: a loop that is later than this stood still. */
export const STALL_TICK_MS = 100
export const STALL_MS = 500

/** Resolution of the measured delay of the event loop, in milliseconds. */
export const LAG_RESOLUTION_MS = 10

/** Milliseconds between two looks at the memory of the process. */
export const MEMORY_CHECK_MS = 1_000

/** Share of the machine's memory that a peer takes at most when it was not told: beyond, the system would end it without a checkpoint. */
export const DEFAULT_MEMORY_SHARE = 0.9

/** Shared memory that passes through the helper thread before it collects its garbage, in bytes: a collection of its small heap takes a few milliseconds. */
export const HELPER_GARBAGE_BYTES = 67_108_864

/**
 * Shared memory that both threads have made for the main thread before it collects everything, in bytes: an exchange lasts longer than arrays stay young.
 * That takes some tens of milliseconds, and what was compiled is lost; without, a peer was seen to grow by 8 MiB with each exchange of 4 MB.
 */
export const PASSED_GARBAGE_BYTES = 268_435_456
