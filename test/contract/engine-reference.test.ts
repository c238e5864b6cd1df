/** The float64 reference network agrees with its own finite differences, so engines that agree with it have true gradients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layout } from '../../src/learn/layout.ts'
import { networks, someParameters, someValues } from '../support/networks.ts'
import { referencePass } from '../support/reference-network.ts'

const BATCH = 3
const H = 1e-6

for (const [title, spec] of Object.entries(networks)) {
  test(`${title}: each slice's gradient along a random direction`, () => {
    const { slices, outputs, inputSize } = layout(spec)
    const parameters = Float64Array.from(someParameters(spec, 5))
    const observations = someValues(BATCH * inputSize, -1, 1, 5)
    const weights = new Map(
      outputs.map(({ name, size, kind }, index) => [name, someValues(kind === 'head' ? BATCH * size : size, -1, 1, index)]),
    )
    const lossAt = (point: Float64Array) => {
      let loss = 0
      for (const [name, output] of referencePass(spec, point, observations, BATCH).outputs) {
        for (const [i, value] of output.entries()) loss += weights.get(name)![i]! * value
      }
      return loss
    }
    const gradient = referencePass(spec, parameters, observations, BATCH).backward(weights)
    for (const [index, { name, offset, length }] of slices.entries()) {
      const direction = someValues(length, -1, 1, 100 + index)
      const moved = (distance: number) => {
        const point = parameters.slice()
        for (let i = 0; i < length; i++) point[offset + i]! += distance * direction[i]!
        return point
      }
      const slope = (lossAt(moved(H)) - lossAt(moved(-H))) / (2 * H)
      const expected = direction.reduce((sum, value, i) => sum + value * gradient[offset + i]!, 0)
      assert.ok(
        Math.abs(slope - expected) < 1e-7 * Math.max(1, Math.abs(expected)),
        `${name}: ${slope} by differences, ${expected} by hand`,
      )
    }
  })
}
