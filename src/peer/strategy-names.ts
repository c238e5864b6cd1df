/** Names of strategies that a manifest may carry; what they do is in strategies.ts. */

const names = ['broadcast', 'pairwise', 'none']

export function strategyNames(): readonly string[] {
  return names
}
