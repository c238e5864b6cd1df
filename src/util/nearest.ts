/** The entries of `choices` most like `word`, best first, at most `most`: for messages such as "did you mean CartPole-v1?". */
export function nearest(word: string, choices: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase()
  return choices
    .map((choice) => ({ choice, distance: distance(wanted, choice.toLowerCase()) }))
    .filter(({ choice, distance }) => distance <= Math.max(2, Math.floor(Math.max(word.length, choice.length) / 2)))
    .sort((a, b) => a.distance - b.distance || (a.choice < b.choice ? -1 : 1))
    .slice(0, most)
    .map(({ choice }) => choice)
}

/** Levenshtein's distance: insertions, deletions and substitutions of one character each. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
