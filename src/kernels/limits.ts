/** Limits of the kernels, each with its unit and reason. */

/** Pages (64 KiB) to which a memory may grow: all that 32-bit addresses reach. Only address space is reserved; pages count when they are used. */
export const MEMORY_MAXIMUM_PAGES = 65_536

/** Bytes at the start of a memory that are never handed out: the allocator's own word, and the compiler's constants. Also makes address 0 mean "none". */
export const RESERVED_BYTES = 4_096

/** Bytes to which every block is aligned: a cache line, so that no two threads' blocks share one. */
export const BLOCK_ALIGNMENT = 64

/** Pages by which a memory grows at least: 1 MiB, so that small blocks do not each cost a system call. */
export const GROWTH_PAGES = 16

/** Milliseconds to wait for the second thread at first use: it starts in 50; a machine that takes this long has none to give. */
export const HELPER_START_MS = 10_000

/** Milliseconds after which a second thread that has not answered counts as lost: half a pass over the largest network and batch takes seconds. */
export const HELPER_DEADLINE_MS = 60_000
