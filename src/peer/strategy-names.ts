/** Names of strategies that a manifest may carry; what they do is in strategies.ts. */

const names = ['broadcast', 'pairwise', 'push-sum', 'server', 'none']

export function strategyNames(): readonly string[] {
  return names
}

export function addStrategyName(name: string): void {
  if (!names.includes(name)) names.push(name)
}
