/** `none`: every peer learns alone. There are no rounds. */
import type { Strategy } from './strategy.ts'

export const none: Strategy = { name: 'none', rules: ['all'], start: () => null }
