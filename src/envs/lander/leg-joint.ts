/**
 * planck's revolute joint with a velocity solver that allocates nothing. LunarLander asks for 180 velocity iterations a step, and planck's
 * own solver makes a dozen small vectors in each: three quarters of the time of a step. Operation for operation the same arithmetic, hence
 * the same bits (a test compares); it reads fields that planck keeps out of its types, so planck's version is pinned.
 */
import { RevoluteJoint, type TimeStep } from 'planck'

interface Vector {
  x: number
  y: number
}
interface Vector3 extends Vector {
  z: number
}
interface Velocity {
  readonly v: Vector
  w: number
}
/** What planck calls these fields, and what `initVelocityConstraints` puts into them. */
interface Internals {
  readonly m_bodyA: { readonly c_velocity: Velocity }
  readonly m_bodyB: { readonly c_velocity: Velocity }
  readonly m_invMassA: number
  readonly m_invMassB: number
  readonly m_invIA: number
  readonly m_invIB: number
  readonly m_rA: Vector
  readonly m_rB: Vector
  readonly m_mass: { readonly ex: Vector3; readonly ey: Vector3; readonly ez: Vector3 }
  readonly m_motorMass: number
  readonly m_motorSpeed: number
  readonly m_maxMotorTorque: number
  readonly m_limitState: number
  readonly m_impulse: Vector3
  m_motorImpulse: number
}

const INACTIVE_LIMIT = 0
const AT_LOWER_LIMIT = 1

/** A joint with motor and limits between two bodies that can both turn. */
export class LegJoint extends RevoluteJoint {
  override solveVelocityConstraints(step: TimeStep): void {
    const joint = this as unknown as Internals
    const a = joint.m_bodyA.c_velocity
    const b = joint.m_bodyB.c_velocity
    const { m_invMassA: massA, m_invMassB: massB, m_invIA: inertiaA, m_invIB: inertiaB, m_impulse: total } = joint
    const rAx = joint.m_rA.x
    const rAy = joint.m_rA.y
    const rBx = joint.m_rB.x
    const rBy = joint.m_rB.y
    let wA = a.w
    let wB = b.w

    const most = step.dt * joint.m_maxMotorTorque
    const before = joint.m_motorImpulse
    const wish = before + -joint.m_motorMass * (wB - wA - joint.m_motorSpeed)
    const motor = Math.max(-most, Math.min(wish, most))
    joint.m_motorImpulse = motor
    wA -= inertiaA * (motor - before)
    wB += inertiaB * (motor - before)

    // Relative velocity of the two anchors.
    const slipX = b.v.x + -wB * rBy - (a.v.x + -wA * rAy)
    const slipY = b.v.y + wB * rBx - (a.v.y + wA * rAx)
    const { ex, ey, ez } = joint.m_mass
    let x: number
    let y: number
    let z = 0
    if (joint.m_limitState === INACTIVE_LIMIT) {
      const det = ex.x * ey.y - ey.x * ex.y
      const inverse = det === 0 ? 0 : 1 / det
      x = inverse * (ey.y * -slipX - ey.x * -slipY)
      y = inverse * (ex.x * -slipY - ex.y * -slipX)
      total.x += x
      total.y += y
    } else {
      const slipZ = wB - wA
      const crossX = ey.y * ez.z - ey.z * ez.y
      const crossY = ey.z * ez.x - ey.x * ez.z
      const crossZ = ey.x * ez.y - ey.y * ez.x
      const det = ex.x * crossX + ex.y * crossY + ex.z * crossZ
      const inverse = det === 0 ? 0 : 1 / det
      x = -(inverse * (slipX * crossX + slipY * crossY + slipZ * crossZ))
      y = -(inverse * (ex.x * (slipY * ez.z - slipZ * ez.y) + ex.y * (slipZ * ez.x - slipX * ez.z) + ex.z * (slipX * ez.y - slipY * ez.x)))
      z = -(inverse * (ex.x * (ey.y * slipZ - ey.z * slipY) + ex.y * (ey.z * slipX - ey.x * slipZ) + ex.z * (ey.x * slipY - ey.y * slipX)))
      const limited = total.z + z
      if (joint.m_limitState === AT_LOWER_LIMIT ? limited < 0 : limited > 0) {
        // The limit would pull: let go of it and solve for the anchors alone.
        const rightX = -slipX + total.z * ez.x
        const rightY = -slipY + total.z * ez.y
        const det2 = ex.x * ey.y - ey.x * ex.y
        const inverse2 = det2 === 0 ? 0 : 1 / det2
        x = inverse2 * (ey.y * rightX - ey.x * rightY)
        y = inverse2 * (ex.x * rightY - ex.y * rightX)
        z = -total.z
        total.x += x
        total.y += y
        total.z = 0
      } else {
        total.x += x
        total.y += y
        total.z += z
      }
    }
    a.v.x -= massA * x
    a.v.y -= massA * y
    b.v.x += massB * x
    b.v.y += massB * y
    a.w = wA - inertiaA * (rAx * y - rAy * x + z)
    b.w = wB + inertiaB * (rBx * y - rBy * x + z)
  }
}
