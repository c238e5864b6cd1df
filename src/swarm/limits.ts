/** Limits of the network port over libp2p: each with its unit and the reason for its value. No default of a library is left where a bound matters. */

// Connections

/** Open connections. A peer of a larger swarm talks to 64 of it; gossip and partner rules reach the rest. */
export const MAX_CONNECTIONS = 64

/** Inbound connections accepted per second from one host. libp2p's 5 refuses most of a swarm that starts on one machine. */
export const INBOUND_CONNECTIONS_PER_SECOND = 64

/** Inbound connections that have not finished their handshake: as many as may arrive in one second. */
export const MAX_PENDING_INBOUND = 64

/** Sockets the kernel keeps waiting for us to accept: two bursts of a whole swarm. */
export const LISTEN_BACKLOG = 128

/** Dials at once, and waiting behind them. Handshakes cost CPU on the main thread; a swarm has at most MAX_CONNECTIONS worth dialling. */
export const MAX_PARALLEL_DIALS = 16
export const MAX_QUEUED_DIALS = 128

/** Addresses tried for one peer, and remembered of what it announces: a few interfaces in two address families. */
export const MAX_ADDRESSES_PER_PEER = 16

/** Milliseconds until a dial has a socket, an encrypted channel and a multiplexer. Together with identify it stays below the 10 s a person waits. */
export const DIAL_TIMEOUT_MS = 5_000

/** The library's own limit on the same, in milliseconds, which also counts what our event loop stood still: it must not come first. */
export const DIAL_BACKSTOP_MS = 15_000

/** Milliseconds for a second look at an address that told libp2p nothing. Who speaks another protocol has answered after one round trip. */
export const PROBE_TIMEOUT_MS = 1_000

/** Handshakes begun with a peer that speaks libp2p and hangs up before the end: a moment later it may have time. */
export const DIAL_ATTEMPTS = 3

/** Milliseconds for the exchange of agent versions after that. */
export const IDENTIFY_TIMEOUT_MS = 4_000

/** Milliseconds after which who hangs up has waited in vain to hear who we are: a refusal takes one round trip. */
export const IDENTIFY_LATE_MS = 3_000

/**
 * Milliseconds that a connection gets to answer when another process comes with its peer's identity: a machine that lost its power and is back would
 * else wait for PING_TIMEOUT_MS and more. A first request of the newcomer waits as long, which is below its 5 s.
 */
export const TWIN_ANSWER_MS = 3_000

/** Milliseconds for an inbound handshake, and for agreeing on the protocol of one stream. Slower ones hold a slot of the above. */
export const HANDSHAKE_TIMEOUT_MS = 5_000

/** Milliseconds a connection gets to say goodbye. All close at once; stopping must end within 1 s. */
export const CLOSE_TIMEOUT_MS = 300

/** Milliseconds of silence after which a socket is dead. The monitor's pings keep a living one busy. */
export const SOCKET_SILENCE_MS = 60_000

/** Milliseconds between pings of every connection, and the least a pong may take before the connection is given up: a stalled event loop is not death. */
export const PING_INTERVAL_MS = 10_000
export const PING_TIMEOUT_MS = 15_000

// Streams

/** Streams of one connection in each direction: two of gossip, identify, ping, and MAX_REQUESTS_PER_PEER of each of two request protocols, with room. */
export const MAX_STREAMS = 64

/** Streams that arrive before their connection is ready to look at them. */
export const MAX_EARLY_STREAMS = 10

/** Request streams of one protocol on one connection, in each direction: a body is pulled in a few ranges at a time. */
export const MAX_REQUESTS_PER_PEER = 16

/** Gossip streams of one connection in each direction: one, and the next while the last closes. */
export const MAX_GOSSIP_STREAMS = 2

/** First receive window of a stream, in bytes. Not negotiated: every peer must use the same, and yamux's specification says 256 KiB. */
export const STREAM_WINDOW_BYTES = 262_144

/** Largest receive window of a stream, in bytes: one gossip message. yamux would grow it to 16 MiB. */
export const MAX_STREAM_WINDOW_BYTES = 1_048_576

/** Unread bytes of one stream before it is reset: one full window, twice. */
export const MAX_READ_BUFFER_BYTES = 2_097_152

/** Unsent bytes of one request stream before it is reset. Writers wait for room after every REQUEST_PIECE_BYTES, so only a fault gets here. */
export const MAX_WRITE_BUFFER_BYTES = 2_097_152

/** Milliseconds between keep-alives of the multiplexer; its first gives the round trip that windows grow by. */
export const KEEP_ALIVE_MS = 30_000

/** An identify message, in bytes: a key, a signed record, and the addresses and protocols of one peer. */
export const MAX_IDENTIFY_BYTES = 8_192

/**
 * Bytes of buffers that encryption leaves behind before the young garbage is collected, about a millisecond's work. What outlives two such collections
 * counts as old and is freed only with the whole heap: with 6 MiB three exchanges of 4 MB among 8 peers took each 0.22 s of processor time, with this 0.20 s
 * and with 40 MiB 0.21 s, where heaps may grow (util/garbage.ts; medians of two runs of 12).
 */
export const ENCRYPTION_GARBAGE_BYTES = 16_777_216

// Requests

/**
 * Bytes handed to a stream at once; then its answer on room is heeded. With the multiplexer's header of 12 bytes they fill two messages of noise:
 * one byte more would cost a third. Half of the first window, so that the next piece is on its way while one is taken in.
 */
export const REQUEST_PIECE_BYTES = 2 * 65_519 - 12

/** Milliseconds until the first byte of a body, after which a request has failed; then it must make progress. Lodestar allows 5 s. */
export const FIRST_BYTE_TIMEOUT_MS = 5_000

/** Slices a deadline is counted in: time in which our own event loop stood still costs the other side at most one of them. */
export const DEADLINE_SLICES = 10

// Gossip

/** One gossip message, in bytes, whatever a topic allows: parameters inline in gossip end here. */
export const MAX_GOSSIP_MESSAGE_BYTES = 1_048_576

/**
 * One gossip frame, in bytes. It can bundle several messages (an answer to IWANT), and a frame over the receiver's limit costs the link; the
 * sender's encoder refuses frames over 4 MiB, so with exactly that limit no honest neighbour is ever over it. Single messages are held to
 * their topic's limit afterwards.
 */
export const MAX_GOSSIP_FRAME_BYTES = 4_194_304

/** Unsent gossip for one neighbour, in bytes, before its stream is given up and repaired: two of the largest frames. */
export const MAX_GOSSIP_BACKLOG_BYTES = 8_388_608

/** Milliseconds between two heartbeats: the longest that a new neighbour waits for its place in the mesh. libp2p's 1 s, halved: swarms are small. */
export const HEARTBEAT_MS = 500

/** Heartbeats for which messages are kept for neighbours that missed them, and announced to them: 3 s and 2 s. The next snapshot makes older ones worthless. */
export const HISTORY_HEARTBEATS = 6
export const HISTORY_GOSSIP_HEARTBEATS = 4

/** Milliseconds for which a message counts as seen: the specification's 2 minutes. */
export const SEEN_MS = 120_000

/** Neighbours in a topic's mesh: aimed at, fewest, most; kept by score, dialled by ourselves; told of messages lazily. The specification's values. */
export const MESH_DEGREE = 6
export const MESH_DEGREE_LOW = 4
export const MESH_DEGREE_HIGH = 12
export const MESH_DEGREE_SCORE = 4
export const MESH_DEGREE_OUTBOUND = 2
export const MESH_DEGREE_LAZY = 6

/**
 * Messages up to this many bytes go from their author to every neighbour: beacons and the snapshots of small networks. Among peers that are all
 * connected each is sent once to each; over the mesh every peer would get, and send, three copies. Larger ones go to the mesh (filled up to
 * MESH_DEGREE from the other subscribers), which forwards them: 64 copies of a large snapshot are too many for their author.
 */
export const FLOOD_MESSAGE_BYTES = 65_536

/** Subscribers up to which larger ones go to every neighbour, too: their authors send 12 copies of a snapshot, and nobody else sends any. */
export const FLOOD_SUBSCRIBERS = 12

/**
 * Milliseconds for which a message over FLOOD_MESSAGE_BYTES is held back before it is forwarded (not before it is delivered), so that neighbours
 * which have it already can say so (IDONTWANT).
 */
export const FORWARD_HOLD_MS = 50

/**
 * The same for smaller ones, of which neighbours are told every DISCLAIM_MS: late with those only that have no link to the author. Measured once
 * with 8 peers of CartPole on loopback, all connected, at their usual pace: each takes in 65 frames of gossipsub a second, where it took 190 with a
 * mesh and a word to every neighbour for each snapshot.
 */
export const FORWARD_SMALL_HOLD_MS = 400
export const DISCLAIM_MS = 200

/** Subscriptions of one neighbour that are remembered, in bytes; each costs its name and 1 KiB. A peer has two topics; 64 KiB is room for about 50. */
export const MAX_SUBSCRIPTION_BYTES = 65_536

/** Entries decoded of one gossip frame: subscriptions, messages, control messages of a kind, message ids in each, peers. */
export const MAX_FRAME_SUBSCRIPTIONS = 64
export const MAX_FRAME_MESSAGES = 1_024
export const MAX_FRAME_CONTROLS = 64
export const MAX_FRAME_MESSAGE_IDS = 1_024
export const MAX_FRAME_PEERS = 0

/**
 * Scores. Nothing raises a score; a message that the topic's validator rejects, or with a broken signature, lowers its sender's: n of them cost
 * REJECT_WEIGHT * n^2, and n falls by REJECT_DECAY a second (half-life 34 s). One is enough to lose the place in the mesh, two to lose our
 * publications' copies and gossip about messages, three to be ignored.
 */
export const REJECT_WEIGHT = -10
export const REJECT_DECAY = 0.98
export const GOSSIP_THRESHOLD = -10
export const PUBLISH_THRESHOLD = -30
export const GRAYLIST_THRESHOLD = -80

/** Slips of a neighbour's protocol (a graft that crossed a prune, an announced message that never came) that are forgiven before they cost score. */
export const FORGIVEN_SLIPS = 6

/** Milliseconds for which the score of a peer that left is kept. */
export const SCORE_MEMORY_MS = 600_000

// Repair of gossip links

/** Milliseconds between two looks at the gossip links. */
export const REPAIR_CHECK_MS = 2_000

/** Milliseconds for which a connection may lack a gossip stream before it is closed and dialled again: opening one takes far less. */
export const HALF_OPEN_MS = 10_000

/** Milliseconds between two repairs of the same peer. */
export const REPAIR_INTERVAL_MS = 30_000

/** Milliseconds, at most, between closing and dialling again, at random: both ends notice the same fault. */
export const REPAIR_JITTER_MS = 2_000

// Relays. What a relayed connection may carry is control only; parameters never travel over one.

/** Peers that a relay keeps a place for: half of its connections. */
export const MAX_RESERVATIONS = 32

/** Milliseconds that a place is kept without being asked for again: an hour, as others do. */
export const RESERVATION_MS = 3_600_000

/** Bytes and milliseconds of one relayed connection, both directions together: the values of libp2p's relays. Beacons take two thirds of it. */
export const MAX_CIRCUIT_BYTES = 131_072
export const MAX_CIRCUIT_MS = 120_000

/** Relayed connections that one peer may ask a relay for at a time, and that may come in through one relay. */
export const MAX_CIRCUITS_PER_PEER = 4
export const MAX_CIRCUITS_PER_RELAY = 16

/** Places on relays that a peer behind NAT asks for: one, and another for when that one leaves. */
export const RELAYS_WANTED = 2

/** Milliseconds without a word on whether we can be reached, after which relays are asked anyway. */
export const RELAY_PATIENCE_MS = 10_000

/** Addresses of a peer met through a relay that are tried at once for a direct connection. */
export const MAX_UPGRADE_ADDRESSES = 4

/** Holes are punched in so many rounds of at most so many milliseconds each. [DCUtR specification] */
export const PUNCH_ROUNDS = 3
export const PUNCH_ROUND_MS = 5_000

/** Addresses under which others saw our dials, newest first, that are given to who is to punch: a NAT or two. */
export const MAX_OBSERVED = 4

/** Ports that a peer asks others to dial back, milliseconds that they take for all of them, and between two questions to others. */
export const MAX_DIAL_BACK_PORTS = 4
export const DIAL_BACK_TIMEOUT_MS = 4_000
export const DIAL_BACK_AGAIN_MS = 60_000

/** Dial-backs for one peer, and for all: each is a handshake. */
export const DIAL_BACK_RATE = { perSecond: 1 / 30, burst: 2 }
export const TOTAL_DIAL_BACK_RATE = { perSecond: 1, burst: 8 }

// Discovery

/** Milliseconds between two questions on the local network. */
export const DISCOVERY_INTERVAL_MS = 10_000

/** Milliseconds, at most, before a peer that was found is dialled, at random: a new peer is found by all others in the same moment. */
export const DISCOVERY_JITTER_MS = 1_000

/** Milliseconds before a found peer that could not be reached is tried again. */
export const DISCOVERY_RETRY_MS = 30_000

/** Found peers that are remembered with their last attempt. Anyone on the local network can invent them. */
export const MAX_DISCOVERED = 256

// Rates. Units per second on average, and at once.

/** Streams that a connection may open. An honest downloader, shaped by REQUEST_RATE, opens at most 400 a second; more end the connection. */
export const STREAM_RATE = { perSecond: 1_000, burst: 2_000 }

/** yamux pings on a connection. Honest ones come every KEEP_ALIVE_MS; each costs an answer. */
export const PING_RATE = { perSecond: 2, burst: 20 }

/** Requests of one peer, and of all: each costs about 1 ms of the main thread. What comes sooner waits its turn: 400 ranges a second are 25 MiB. */
export const REQUEST_RATE = { perSecond: 400, burst: 800 }
export const TOTAL_REQUEST_RATE = { perSecond: 800, burst: 1_600 }

/** Milliseconds that a request may wait for its turn; beyond, it is refused. Below FIRST_BYTE_TIMEOUT_MS, so that the asker is still there. */
export const MAX_REQUEST_WAIT_MS = 2_000
