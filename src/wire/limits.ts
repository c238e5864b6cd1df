/** Limits of the wire formats: each with its unit and the reason for its value. */

/** A manifest, in bytes. It is settings, not data: presets encode to about 1 KiB. */
export const MAX_MANIFEST_BYTES = 65_536

/** Nesting of a manifest. The network reaches 6; environment options get the rest. Bounds the decoder's recursion. */
export const MAX_MANIFEST_DEPTH = 8

/** Characters of a name or id in a manifest: they are printed on one terminal line. */
export const MAX_MANIFEST_TEXT = 200
