/** Limits of the command line: each with its unit and the reason for its value. */

/** Bytes kept for a reader of stdout that does not read: an hour of events of a small swarm. Beyond, lines are dropped and counted. */
export const MAX_UNREAD_BYTES = 8_388_608

/** A configuration file in bytes: settings, not data. */
export const MAX_CONFIG_BYTES = 1_048_576

/** On a terminal the live line moves four times a second: smooth to the eye, nothing to the machine. */
export const LIVE_PERIOD_MS = 250

/** Off a terminal, one line of progress per this many milliseconds. */
export const PLAIN_PERIOD_MS = 5_000

/** Characters of the sparkline: the live line of a CartPole run with it still fits 80 columns. */
export const SPARKLINE_WIDTH = 16

/** Leaving on Ctrl-C takes at most this many milliseconds, whatever hangs. */
export const LEAVE_MS = 2_000

/** npm passes on the Ctrl-C that the terminal has sent already; a signal this soon, in milliseconds, after the first is the same one. */
export const SAME_SIGNAL_MS = 300

/** After a daemon has left nothing should be running; what still is after this many milliseconds is ended. */
export const LINGER_MS = 200

/** `status --watch` asks once in this many milliseconds: progress is told ten times as often, and a person reads slower. */
export const WATCH_PERIOD_MS = 1_000

/** `eval --episodes`: a hundred tell how good a policy is, a million are a slip. */
export const MAX_EVAL_EPISODES = 1_000_000

/** Of `eval --gif`: pixels of a side, milliseconds of one picture (GIF knows hundredths of a second), and pictures: a minute and a half of play. */
export const GIF_PIXELS = 240
export const GIF_FRAME_MS = 40
export const MAX_GIF_FRAMES = 2_000
