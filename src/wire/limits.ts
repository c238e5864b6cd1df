/** Limits of the wire formats: each with its unit and the reason for its value. */

/** A manifest, in bytes. It is settings, not data: presets encode to about 1 KiB. */
export const MAX_MANIFEST_BYTES = 65_536

/** Nesting of a manifest. The network reaches 6; environment options get the rest. Bounds the decoder's recursion. */
export const MAX_MANIFEST_DEPTH = 8

/** Characters of a name or id in a manifest: they are printed on one terminal line. */
export const MAX_MANIFEST_TEXT = 200

/** A beacon, in bytes: 604 of fixed fields (512 of them the sketch) and about ten addresses. Sent by everyone every few seconds. */
export const MAX_BEACON_BYTES = 1_024

/** Addresses in a beacon, and characters of one: a multiaddr with a DNS name and a peer id stays below. */
export const MAX_BEACON_ADDRESSES = 16
export const MAX_ADDRESS_CHARACTERS = 255

/** Values of a beacon's sketch: 256 buckets estimate a distance with a standard error of about 4 %. */
export const SKETCH_BUCKETS = 256

/** Parameters of a model: 256 MiB of float32, because wasm32 must hold moments and policy slots beside them. */
export const MAX_PARAMETERS = 67_108_864

/** Normalisers in a frame or snapshot (observations and rewards, with room), and values of one: Atari's 84 x 84 x 4 is 28,224. */
export const MAX_NORMALISERS = 8
export const MAX_NORMALISER_VALUES = 65_536

/** One answer of a request protocol, header included: fits one noise message of 65,535 bytes with what encryption and framing add. */
export const MAX_RESPONSE_BYTES = 65_000

/** One request: the longest is a digest, an offset and a length. */
export const MAX_REQUEST_BYTES = 256

/** Bytes of a body asked for at once: 63 KiB, so that an answer stays below MAX_RESPONSE_BYTES. */
export const RANGE_BYTES = 64_512

/**
 * Bytes of a frame that an exchange asks for at once, and of the answer: 1 MiB. Opening a stream costs both sides about as much as 64 KiB on it,
 * and only the partner of the exchange under way may ask.
 */
export const EXCHANGE_RANGE_BYTES = 1_048_576
export const MAX_EXCHANGE_RESPONSE_BYTES = EXCHANGE_RANGE_BYTES + 64

/** A body makes progress while so many bytes of it come in every so many milliseconds: 64 KiB/s. What is left at the end may be less. */
export const PROGRESS_BYTES = 327_680
export const PROGRESS_MS = 5_000

/** Chunk digests of one offer: 1024 of 32 bytes fill half an answer. Larger bodies have larger chunks. */
export const MAX_CHUNKS = 1_024

/** Least fraction of the coordinates that a subset may carry: below a thousandth the mean comes round too seldom to hold replicas together. */
export const MIN_SUBSET_FRACTION = 0.001

/** Fragments of a model: the largest, in frames of 64 KiB, has 4096. */
export const MAX_FRAGMENTS = 4_096

/** Addresses in an invitation: a few of the inviting peer and of two others, so that one that is gone keeps nobody out. */
export const MAX_INVITATION_ADDRESSES = 8

/** An invitation as text: eight addresses of names with eight peers are 2,100 characters; most have below 200. */
export const MAX_INVITATION_CHARACTERS = 4_096

/** Bytes that tell a mangled invitation: one in four billion passes. */
export const INVITATION_CHECK_BYTES = 4

/** The pre-shared key of a private swarm, in bytes. [libp2p specs, pnet] */
export const SWARM_KEY_BYTES = 32

/** Header of a safetensors file, in bytes: a manifest in base64 and a hundred bytes for each tensor. */
export const MAX_TENSOR_HEADER_BYTES = 4_194_304

/** Tensors of one file: a network has some dozen slices, a saved learner some hundred fields. */
export const MAX_TENSORS = 16_384

/**
 * Bytes of a payload for each parameter: no codec needs more than float32 does, plus a scale per slice, of which there are never more than
 * values; two moments in float32; and the steps behind them, where there is one parameter.
 */
export const MAX_PAYLOAD_BYTES_EACH = 5 + 2 * 4 + 8

/** A whole parameter frame: its payload, a header, and the normalisers. */
export const MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES_EACH * MAX_PARAMETERS + MAX_NORMALISERS * (16 * MAX_NORMALISER_VALUES + 16) + 1_024

/** Exchanges called settled in one message; in one that brings a frame there is room for a few. */
export const MAX_SETTLED = 256
export const MAX_SETTLED_WITH_OPEN = 16

/** One answer with experience, in bytes: a rollout of a small task or some hundred transitions; larger ones would hold up beacons behind them. */
export const MAX_EXPERIENCE_BYTES = 262_144

/** Largest size of an observation's or a continuous action's number: normalised ones are below 100, raw ones of every known task below 10,000. */
export const MAX_EXPERIENCE_VALUE = 1e6
