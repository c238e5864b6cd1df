/** Limits of what is shown: each with its unit and the reason for its value. */

/** Points of the curves kept for the page; when they are full every second one goes, so a run of any length fits in some 300 KiB. */
export const MAX_POINTS = 1_024

/** Events kept for the page's log. Mixes of 50 peers fill it in seconds; warnings and the like have places of their own. */
export const MAX_EVENTS_KEPT = 500
export const MAX_NOTABLE_EVENTS_KEPT = 500

/** What happened is sent to open pages this often, in milliseconds: four times a second looks live and costs nothing. */
export const STREAM_PERIOD_MS = 250

/** The whole standing, with a line for each peer, is sent every this many stream periods: once a second. */
export const STATUS_EVERY_PERIODS = 4

/** Bytes that wait for a page that does not read; beyond, it is hung up on and may come again. */
export const MAX_UNSENT_BYTES = 1_048_576

/** Open event streams: a few pages of a few people. */
export const MAX_STREAMS = 16

/** HTTP connections at once: a browser opens six. */
export const MAX_HTTP_CONNECTIONS = 64

/** A command's body in bytes: a name and a peer id. */
export const MAX_BODY_BYTES = 4_096

/** All headers of a request in bytes; Node's own limit is four times this. */
export const MAX_HEADER_BYTES = 4_096

/** Milliseconds for a whole request to arrive: it is one packet. */
export const REQUEST_ARRIVAL_MS = 5_000

/** Bytes of the token that commands need: nobody guesses 256 bits. */
export const TOKEN_BYTES = 32

// The record of a run, for its report

/** Evaluations, events of each sort, lives of the daemon, and mixes that a record keeps: more than a person reads. */
export const MAX_RECORDED_EVALUATIONS = 512
export const MAX_RECORDED_EVENTS = 300
export const MAX_RECORDED_LIVES = 300
export const MAX_RECORDED_MIXES = 30

/** Peers whose standing is recorded, those of the most mixes: a table of one page. */
export const MAX_RECORDED_PEERS = 64

/** Characters of a recorded message. */
export const MAX_RECORDED_TEXT = 1_000

/** Bytes that a record grows by before it is written anew without what is not kept: every half hour in the first day, then seldom. */
export const MAX_RECORD_GROWTH_BYTES = 1_048_576

/** The standing is recorded with every so many `stats` events, each 2 s. */
export const STANDING_EVERY_STATS = 10

/** Bytes of a record that is read: twice what one comes to. */
export const MAX_RECORD_BYTES = 8_388_608
