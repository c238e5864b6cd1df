/**
 * MinAtar Seaquest: a submarine shoots fish and enemy submarines, 1 point each, and picks up divers (six at most). Oxygen runs out below
 * the surface; surfacing refills it and costs a diver, without one the game is over; with six it earns up to 10 points for the oxygen
 * left. Enemies come and move faster with every surfacing. Channels: own bow, own stern, own bullet, trail, enemy bullet, fish, enemy
 * submarine, oxygen gauge, diver gauge, diver.
 *
 * As in the original, surfacing with six divers leaves a count of -1: the next diver is lost on it.
 */
import { DOWN, FIRE, GridRows, type GridSettings, LEFT, RIGHT, SIZE, UP } from './grid-rows.ts'
import { add, advance, find, remove, SHOT, STEP, THING, TIMER } from './things.ts'

const X = 0
const Y = 1
/** -1 left, 1 right. */
const FACING = 2
const SURFACED = 3
const OXYGEN = 4
const DIVERS = 5
const COOLDOWN = 6
const SPAWN_TIMER = 7
const SPAWN_SPEED = 8
const DIVER_TIMER = 9
const MOVE_SPEED = 10
const RAMP_INDEX = 11
/**
 * Longest lists. A thing moves at least every 6 frames and has 10 cells to cross; an enemy comes each frame at most and fires every 11th,
 * a diver every 30th, an own bullet every 6th.
 */
const SHOTS_MAX = 4
const DIVERS_MAX = 4
const ENEMIES_MAX = 64
const SHOTS = 12
const BOMBS = SHOTS + 1 + SHOTS_MAX * THING
const FISH = BOMBS + 1 + ENEMIES_MAX * THING
const SUBS = FISH + 1 + ENEMIES_MAX * THING
const SWIMMERS = SUBS + 1 + ENEMIES_MAX * THING
const NUMBERS = SWIMMERS + 1 + DIVERS_MAX * THING

const GAUGE_ROW = SIZE - 1
const DEEPEST = 8
const OXYGEN_FULL = 200
const CREW = 6
const COOLDOWN_FRAMES = 5
const FIRST_SPAWN_SPEED = 20
const FIRST_MOVE_SPEED = 5
const FASTEST_MOVE = 2
const DIVER_INTERVAL = 30
const DIVER_SPEED = 5
const SHOT_INTERVAL = 10

export class SeaquestRows extends GridRows {
  constructor(count: number, settings: GridSettings) {
    super(count, 10, NUMBERS, settings)
  }

  protected start(_row: number, at: number): void {
    const s = this.state
    s[at + X] = 5
    s[at + FACING] = -1
    s[at + SURFACED] = 1
    s[at + OXYGEN] = OXYGEN_FULL
    s[at + SPAWN_TIMER] = s[at + SPAWN_SPEED] = FIRST_SPAWN_SPEED
    s[at + DIVER_TIMER] = DIVER_INTERVAL
    s[at + MOVE_SPEED] = FIRST_MOVE_SPEED
  }

  protected act(row: number, at: number, action: number): number {
    const s = this.state
    if (s[at + SPAWN_TIMER] === 0) {
      this.#spawnEnemy(row, at)
      s[at + SPAWN_TIMER] = s[at + SPAWN_SPEED]!
    }
    if (s[at + DIVER_TIMER] === 0) {
      const step = this.#direction(row)
      add(this.state, at + SWIMMERS, this.#entry(step), this.streams.below(row, DEEPEST) + 1, step, DIVER_SPEED, 0)
      s[at + DIVER_TIMER] = DIVER_INTERVAL
    }
    this.#steer(at, action)
    let reward = this.#moveShots(at)
    this.#moveDivers(at)
    reward += this.#moveEnemies(at, SUBS)
    this.#moveBombs(at)
    reward += this.#moveEnemies(at, FISH)
    s[at + SPAWN_TIMER]! -= 1
    s[at + DIVER_TIMER]! -= 1
    if (s[at + COOLDOWN]! > 0) s[at + COOLDOWN]! -= 1
    return reward + this.#breathe(at)
  }

  #direction(row: number): number {
    return this.streams.random(row) < 0.5 ? 1 : -1
  }

  /** The column at which a thing that moves by `step` comes in. */
  #entry(step: number): number {
    return step > 0 ? 0 : SIZE - 1
  }

  /** A fish or submarine, unless one in that row moves the other way. */
  #spawnEnemy(row: number, at: number): void {
    const s = this.state
    const step = this.#direction(row)
    const list = at + (this.streams.random(row) < 1 / 3 ? SUBS : FISH)
    const y = this.streams.below(row, DEEPEST) + 1
    for (const other of [FISH, SUBS]) {
      for (let i = 0, thing = at + other + 1; i < s[at + other]!; i++, thing += THING) {
        if (s[thing + Y] === y && s[thing + STEP] !== step) return
      }
    }
    add(s, list, this.#entry(step), y, step, s[at + MOVE_SPEED]!, SHOT_INTERVAL)
  }

  #steer(at: number, action: number): void {
    const s = this.state
    if (action === LEFT || action === RIGHT) {
      const facing = action === RIGHT ? 1 : -1
      s[at + FACING] = facing
      s[at + X] = Math.max(0, Math.min(SIZE - 1, s[at + X]! + facing))
    } else if (action === UP) s[at + Y] = Math.max(0, s[at + Y]! - 1)
    else if (action === DOWN) s[at + Y] = Math.min(DEEPEST, s[at + Y]! + 1)
    else if (action === FIRE && s[at + COOLDOWN] === 0) {
      add(this.state, at + SHOTS, s[at + X]!, s[at + Y]!, s[at + FACING]!, 0, 0)
      s[at + COOLDOWN] = COOLDOWN_FRAMES
    }
  }

  #moveShots(at: number): number {
    const s = this.state
    let reward = 0
    for (let i = s[at + SHOTS]! - 1; i >= 0; i--) {
      const shot = at + SHOTS + 1 + i * THING
      if (advance(this.state, shot)) {
        remove(this.state, at + SHOTS, i)
        continue
      }
      for (const list of [FISH, SUBS]) {
        const hit = find(this.state, at + list, s[shot]!, s[shot + Y]!)
        if (hit < 0) continue
        remove(this.state, at + list, hit)
        remove(this.state, at + SHOTS, i)
        reward += 1
        break
      }
    }
    return reward
  }

  #moveDivers(at: number): void {
    const s = this.state
    for (let i = s[at + SWIMMERS]! - 1; i >= 0; i--) {
      const diver = at + SWIMMERS + 1 + i * THING
      if (this.#pickUp(at, diver, i)) continue
      if (s[diver + TIMER]! > 0) {
        s[diver + TIMER]! -= 1
        continue
      }
      s[diver + TIMER] = DIVER_SPEED
      if (advance(this.state, diver)) remove(this.state, at + SWIMMERS, i)
      else this.#pickUp(at, diver, i)
    }
  }

  #pickUp(at: number, diver: number, i: number): boolean {
    const s = this.state
    if (!this.#onPlayer(at, diver) || s[at + DIVERS]! >= CREW) return false
    s[at + DIVERS]! += 1
    remove(this.state, at + SWIMMERS, i)
    return true
  }

  /** Fish or enemy submarines; the latter also shoot. */
  #moveEnemies(at: number, list: number): number {
    const s = this.state
    let reward = 0
    for (let i = s[at + list]! - 1; i >= 0; i--) {
      const enemy = at + list + 1 + i * THING
      if (this.#onPlayer(at, enemy)) this.over = true
      if (s[enemy + TIMER]! > 0) {
        s[enemy + TIMER]! -= 1
      } else {
        s[enemy + TIMER] = s[at + MOVE_SPEED]!
        if (advance(this.state, enemy)) {
          remove(this.state, at + list, i)
          continue
        }
        if (this.#onPlayer(at, enemy)) this.over = true
        const shot = find(this.state, at + SHOTS, s[enemy]!, s[enemy + Y]!)
        if (shot >= 0) {
          remove(this.state, at + SHOTS, shot)
          remove(this.state, at + list, i)
          reward += 1
          continue
        }
      }
      if (list === FISH) continue
      if (s[enemy + SHOT]! > 0) {
        s[enemy + SHOT]! -= 1
      } else {
        s[enemy + SHOT] = SHOT_INTERVAL
        add(this.state, at + BOMBS, s[enemy]!, s[enemy + Y]!, s[enemy + STEP]!, 0, 0)
      }
    }
    return reward
  }

  #moveBombs(at: number): void {
    for (let i = this.state[at + BOMBS]! - 1; i >= 0; i--) {
      const bomb = at + BOMBS + 1 + i * THING
      if (this.#onPlayer(at, bomb)) this.over = true
      if (advance(this.state, bomb)) remove(this.state, at + BOMBS, i)
      else if (this.#onPlayer(at, bomb)) this.over = true
    }
  }

  /** Oxygen and surfacing; returns what surfacing earns. */
  #breathe(at: number): number {
    const s = this.state
    if (s[at + OXYGEN]! <= 0) this.over = true
    if (s[at + Y]! > 0) {
      s[at + OXYGEN]! -= 1
      s[at + SURFACED] = 0
      return 0
    }
    if (s[at + SURFACED] === 1) return 0
    if (s[at + DIVERS] === 0) {
      this.over = true
      return 0
    }
    s[at + SURFACED] = 1
    let reward = 0
    if (s[at + DIVERS] === CREW) {
      s[at + DIVERS] = 0
      reward = this.#gauge(at)
    }
    s[at + OXYGEN] = OXYGEN_FULL
    s[at + DIVERS]! -= 1
    if (this.ramping) this.#ramp(at)
    return reward
  }

  #ramp(at: number): void {
    const s = this.state
    if (s[at + SPAWN_SPEED]! <= 1 && s[at + MOVE_SPEED]! <= FASTEST_MOVE) return
    if (s[at + MOVE_SPEED]! > FASTEST_MOVE && s[at + RAMP_INDEX]! % 2 === 1) s[at + MOVE_SPEED]! -= 1
    if (s[at + SPAWN_SPEED]! > 1) s[at + SPAWN_SPEED]! -= 1
    s[at + RAMP_INDEX]! += 1
  }

  /** Oxygen in tenths. */
  #gauge(at: number): number {
    return Math.max(0, Math.floor((this.state[at + OXYGEN]! * SIZE) / OXYGEN_FULL))
  }

  #onPlayer(at: number, thing: number): boolean {
    const s = this.state
    return s[thing] === s[at + X] && s[thing + Y] === s[at + Y]
  }

  protected draw(at: number, out: Float32Array, to: number): void {
    const s = this.state
    out[to + this.cell(s[at + X]!, s[at + Y]!, 0)] = 1
    out[to + this.cell(s[at + X]! - s[at + FACING]!, s[at + Y]!, 1)] = 1
    const oxygen = this.#gauge(at)
    for (let x = 0; x < oxygen; x++) out[to + this.cell(x, GAUGE_ROW, 7)] = 1
    for (let x = SIZE - 1 - s[at + DIVERS]!; x < SIZE - 1; x++) out[to + this.cell(x, GAUGE_ROW, 8)] = 1
    this.#drawList(at + SHOTS, 2, false, out, to)
    this.#drawList(at + BOMBS, 4, false, out, to)
    this.#drawList(at + FISH, 5, true, out, to)
    this.#drawList(at + SUBS, 6, true, out, to)
    this.#drawList(at + SWIMMERS, 9, true, out, to)
  }

  #drawList(list: number, channel: number, trail: boolean, out: Float32Array, to: number): void {
    const s = this.state
    for (let i = 0, thing = list + 1; i < s[list]!; i++, thing += THING) {
      const x = s[thing]!
      const y = s[thing + Y]!
      out[to + this.cell(x, y, channel)] = 1
      const behind = x - s[thing + STEP]!
      if (trail && behind >= 0 && behind < SIZE) out[to + this.cell(behind, y, 3)] = 1
    }
  }
}
