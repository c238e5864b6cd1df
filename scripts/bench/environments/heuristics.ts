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
