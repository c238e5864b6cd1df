/** Hand-written policies: yardsticks for the environments that have no agreed solution. */

/**
 * LunarLander: a proportional-derivative controller of angle and height, after the one that Gymnasium ships to show that the task is
 * solvable. Reads one observation of eight numbers; returns [main, side] wishes, positive for up and for turning left.
 */
function landerWishes(observation: ArrayLike<number>): [lift: number, turn: number] {
  const [x, y, vx, vy, angle, spin, left, right] = Array.from(observation) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (left === 1 || right === 1) return [-0.5 * vy, 0]
  const wantedAngle = Math.max(-0.4, Math.min(0.4, 0.5 * x + vx))
  const wantedHeight = 0.55 * Math.abs(x)
  return [0.5 * (wantedHeight - y) - 0.5 * vy, 0.5 * (wantedAngle - angle) - spin]
}

/** The discrete action: main engine if lifting is the more urgent, else a side engine, else nothing. */
export function landLander(observation: ArrayLike<number>): number {
  const [lift, turn] = landerWishes(observation)
  if (lift > Math.abs(turn) && lift > 0.05) return 2
  if (turn < -0.05) return 3
  return turn > 0.05 ? 1 : 0
}

/** The continuous action. */
export function landLanderContinuously(observation: ArrayLike<number>): Float32Array {
  const [lift, turn] = landerWishes(observation)
  const bounded = (value: number): number => Math.max(-1, Math.min(1, value))
  return Float32Array.of(bounded(20 * lift - 1), bounded(-20 * turn))
}

/**
 * Spread-v0, for one agent from its own observation of 14 numbers: of all ways to give each agent a landmark, take the shortest in total
 * (all agents see the same world, so they agree), then push along the axis on which the own landmark will be missed by more.
 */
export function coverLandmark(observation: ArrayLike<number>): number {
  const [vx, vy, , , ax, ay, bx, by, cx, cy, ox, oy, px, py] = Array.from(observation) as number[]
  const landmarks = [
    [ax!, ay!],
    [bx!, by!],
    [cx!, cy!],
  ] as const
  const agents = [
    [0, 0],
    [ox!, oy!],
    [px!, py!],
  ] as const
  const orders: readonly (readonly [number, number, number])[] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]
  const length = (order: readonly [number, number, number]): number =>
    order.reduce(
      (sum, landmark, agent) => sum + Math.hypot(landmarks[landmark]![0] - agents[agent]![0], landmarks[landmark]![1] - agents[agent]![1]),
      0,
    )
  let best = orders[0]!
  for (const order of orders) if (length(order) < length(best) - 1e-6) best = order
  const [x, y] = landmarks[best[0]]!
  // Without a push a quarter of the speed is lost each step: 0.3 times the speed is still to come.
  const missX = x - 0.3 * vx!
  const missY = y - 0.3 * vy!
  if (Math.max(Math.abs(missX), Math.abs(missY)) < 0.03) return 0
  if (Math.abs(missX) > Math.abs(missY)) return missX < 0 ? 1 : 2
  return missY < 0 ? 3 : 4
}
