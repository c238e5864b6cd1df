/**
 * One world of LunarLander: ground, lander and two legs in planck (a port of Box2D), as Gymnasium builds them. Lengths in metres (30 pixels),
 * seconds, y up. `build` begins an episode; `step` fires the engines and lets 1/50 s pass.
 */
import { type Body, Box, Edge, Polygon, Vec2, World } from 'planck'
import { cos, sin } from '../../util/maths.ts'
import { LegJoint } from './leg-joint.ts'

const SCALE = 30
export const WIDTH = 600 / SCALE
export const HEIGHT = 400 / SCALE
const FRAMES_PER_SECOND = 50
const VELOCITY_ITERATIONS = 180
const POSITION_ITERATIONS = 60
const GRAVITY = -10
const MAIN_POWER = 13
const SIDE_POWER = 0.6
/** Largest force of the push with which an episode begins, in newtons along each axis. */
const FIRST_PUSH = 1000
const CHUNKS = 11
export const PAD_HEIGHT = HEIGHT / 4
const LEG_AWAY = 20 / SCALE
const LEG_DOWN = 18 / SCALE
const LEG_HALF_WIDTH = 2 / SCALE
const LEG_HALF_HEIGHT = 8 / SCALE
const LEG_TORQUE = 40
const LEG_SPREAD_SPEED = 0.3
/** Where the engines push, from the lander's centre. */
const MAIN_ENGINE_Y = 4 / SCALE
const SIDE_ENGINE_AWAY = 12 / SCALE
const SIDE_ENGINE_Y = 14 / SCALE
const SIDE_ENGINE_LEVER = 17 / SCALE
const HULL = [
  [-14, 17],
  [-17, 0],
  [-17, -10],
  [17, -10],
  [17, 0],
  [14, 17],
].map(([x, y]): [number, number] => [x! / SCALE, y! / SCALE])

/** Lander and legs touch the ground only, never each other. */
const GROUND_CATEGORY = 0x0001
const LANDER_CATEGORY = 0x0010
const LEG_CATEGORY = 0x0020

export class LanderWorld {
  readonly #world = new World({ gravity: new Vec2(0, GRAVITY), allowSleep: true })
  readonly #uniform: (low: number, high: number) => number
  #ground: Body
  #lander: Body
  #legs: readonly [Body, Body]
  readonly #legDown: [boolean, boolean] = [false, false]
  #crashed = false
  /** Corners of the ground, left to right. */
  readonly terrain: [number, number][] = []

  /** `uniform` draws from the row's stream. */
  constructor(uniform: (low: number, high: number) => number) {
    this.#uniform = uniform
    this.#ground = this.#world.createBody()
    this.#lander = this.#world.createDynamicBody()
    this.#legs = [this.#world.createDynamicBody(), this.#world.createDynamicBody()]
    this.#world.on('begin-contact', (contact) => {
      const a = contact.getFixtureA().getBody()
      const b = contact.getFixtureB().getBody()
      if (a === this.#lander || b === this.#lander) this.#crashed = true
      for (const i of [0, 1] as const) if (a === this.#legs[i] || b === this.#legs[i]) this.#legDown[i] = true
    })
    this.#world.on('end-contact', (contact) => {
      const a = contact.getFixtureA().getBody()
      const b = contact.getFixtureB().getBody()
      for (const i of [0, 1] as const) if (a === this.#legs[i] || b === this.#legs[i]) this.#legDown[i] = false
    })
  }

  /** New ground and a lander at the top with a random push. */
  build(): void {
    const world = this.#world
    for (const body of [this.#ground, this.#lander, ...this.#legs]) world.destroyBody(body)
    this.#crashed = false
    this.#legDown.fill(false)
    this.#drawTerrain()
    this.#ground = world.createBody()
    this.#ground.createFixture({ shape: new Edge(new Vec2(0, 0), new Vec2(WIDTH, 0)), density: 0 })
    for (let i = 0; i + 1 < this.terrain.length; i++) {
      const shape = new Edge(new Vec2(...this.terrain[i]!), new Vec2(...this.terrain[i + 1]!))
      this.#ground.createFixture({ shape, density: 0, friction: 0.1, filterCategoryBits: GROUND_CATEGORY })
    }
    const x = WIDTH / 2
    this.#lander = world.createDynamicBody(new Vec2(x, HEIGHT))
    this.#lander.createFixture({
      shape: new Polygon(HULL.map(([dx, dy]) => new Vec2(dx, dy))),
      density: 5,
      friction: 0.1,
      restitution: 0,
      filterCategoryBits: LANDER_CATEGORY,
      filterMaskBits: GROUND_CATEGORY,
    })
    this.#lander.applyForceToCenter(new Vec2(this.#uniform(-FIRST_PUSH, FIRST_PUSH), this.#uniform(-FIRST_PUSH, FIRST_PUSH)), true)
    this.#legs = [this.#addLeg(x, -1), this.#addLeg(x, 1)]
  }

  /** Heights are uniform below half the view, flat at the pad, and smoothed over three neighbours (times 0.33, as in the original). */
  #drawTerrain(): void {
    const heights = Array.from({ length: CHUNKS + 1 }, () => this.#uniform(0, HEIGHT / 2))
    const middle = Math.floor(CHUNKS / 2)
    heights.fill(PAD_HEIGHT, middle - 2, middle + 3)
    this.terrain.length = 0
    for (let i = 0; i < CHUNKS; i++) {
      const before = heights[(i + CHUNKS) % (CHUNKS + 1)]!
      this.terrain.push([(WIDTH / (CHUNKS - 1)) * i, 0.33 * (before + heights[i]! + heights[i + 1]!)])
    }
  }

  #addLeg(x: number, side: -1 | 1): Body {
    const leg = this.#world.createDynamicBody(new Vec2(x - side * LEG_AWAY, HEIGHT), side * 0.05)
    leg.createFixture({
      shape: new Box(LEG_HALF_WIDTH, LEG_HALF_HEIGHT),
      density: 1,
      restitution: 0,
      filterCategoryBits: LEG_CATEGORY,
      filterMaskBits: GROUND_CATEGORY,
    })
    this.#world.createJoint(
      new LegJoint({
        bodyA: this.#lander,
        bodyB: leg,
        localAnchorA: new Vec2(0, 0),
        localAnchorB: new Vec2(side * LEG_AWAY, LEG_DOWN),
        referenceAngle: 0,
        enableMotor: true,
        enableLimit: true,
        maxMotorTorque: LEG_TORQUE,
        motorSpeed: LEG_SPREAD_SPEED * side,
        lowerAngle: side === -1 ? 0.4 : -0.9,
        upperAngle: side === -1 ? 0.9 : -0.4,
      }),
    )
    return leg
  }

  /** `main` is the power of the main engine, 0 or 0.5 to 1; `side` that of the side engines, negative to the left, 0 or 0.5 to 1 in size. */
  step(main: number, side: number): void {
    const lander = this.#lander
    const angle = lander.getAngle()
    const tipX = sin(angle)
    const tipY = cos(angle)
    // To the left of the tip.
    const sideX = -tipY
    const sideY = tipX
    const wobbleA = this.#uniform(-1, 1) / SCALE
    const wobbleB = this.#uniform(-1, 1) / SCALE
    const { x, y } = lander.getPosition()
    if (main > 0) {
      const away = MAIN_ENGINE_Y + 2 * wobbleA
      const ox = tipX * away + sideX * wobbleB
      const oy = -tipY * away - sideY * wobbleB
      lander.applyLinearImpulse(new Vec2(-ox * MAIN_POWER * main, -oy * MAIN_POWER * main), new Vec2(x + ox, y + oy), true)
    }
    if (side !== 0) {
      const power = SIDE_POWER * Math.abs(side)
      const away = 3 * wobbleB + Math.sign(side) * SIDE_ENGINE_AWAY
      const ox = tipX * wobbleA + sideX * away
      const oy = -tipY * wobbleA - sideY * away
      const at = new Vec2(x + ox - tipX * SIDE_ENGINE_LEVER, y + oy + tipY * SIDE_ENGINE_Y)
      lander.applyLinearImpulse(new Vec2(-ox * power, -oy * power), at, true)
    }
    this.#world.step(1 / FRAMES_PER_SECOND, VELOCITY_ITERATIONS, POSITION_ITERATIONS)
  }

  get crashed(): boolean {
    return this.#crashed
  }

  /** Whether the lander came to rest. */
  get asleep(): boolean {
    return !this.#lander.isAwake()
  }

  /** Writes the eight numbers that Gymnasium's observation holds, in float64. */
  read(out: Float64Array): void {
    const lander = this.#lander
    const position = lander.getPosition()
    const velocity = lander.getLinearVelocity()
    out[0] = (position.x - WIDTH / 2) / (WIDTH / 2)
    out[1] = (position.y - (PAD_HEIGHT + LEG_DOWN)) / (HEIGHT / 2)
    out[2] = (velocity.x * (WIDTH / 2)) / FRAMES_PER_SECOND
    out[3] = (velocity.y * (HEIGHT / 2)) / FRAMES_PER_SECOND
    out[4] = lander.getAngle()
    out[5] = (20 * lander.getAngularVelocity()) / FRAMES_PER_SECOND
    out[6] = this.#legDown[0] ? 1 : 0
    out[7] = this.#legDown[1] ? 1 : 0
  }

  /** Corners of the lander and its legs in the world, for pictures. */
  outlines(): [number, number][][] {
    const place = (body: Body, corners: readonly [number, number][]): [number, number][] =>
      corners.map(([dx, dy]) => {
        const { x, y } = body.getWorldPoint(new Vec2(dx, dy))
        return [x, y]
      })
    const w = LEG_HALF_WIDTH
    const h = LEG_HALF_HEIGHT
    const leg: [number, number][] = [
      [-w, -h],
      [w, -h],
      [w, h],
      [-w, h],
    ]
    return [place(this.#legs[0], leg), place(this.#legs[1], leg), place(this.#lander, HULL)]
  }
}
