import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicySlots, policySlotBuffer, policySlotCount } from '../../../src/learn/shared/policy-slots.ts'

const arenaOf = (value: number) => ({ data: Float32Array.of(value, value) })

function slotsFor(actors: number) {
  const arenas = Array.from({ length: policySlotCount(actors) }, () => arenaOf(0))
  return { arenas, slots: new PolicySlots(arenas, policySlotBuffer(actors)) }
}

test('there is no policy before the first, then always the newest', () => {
  const { slots } = slotsFor(1)
  assert.equal(slots.hold(0), null)
  slots.publish(arenaOf(5), 7)
  const first = slots.hold(0)!
  assert.deepEqual([first.version, [...first.arena.data]], [7, [5, 5]])
  slots.release(0)
  slots.publish(arenaOf(6), 8)
  assert.deepEqual([slots.hold(0)!.version], [8])
})

test('what actors hold stays as it is, however much is published', () => {
  const { slots } = slotsFor(3)
  const held = [0, 1, 2].map((actor) => {
    slots.publish(arenaOf(actor + 10), actor)
    return slots.hold(actor)!
  })
  for (let version = 3; version < 50; version++) slots.publish(arenaOf(version), version)
  assert.deepEqual(
    held.map(({ arena }) => arena.data[0]),
    [10, 11, 12],
  )
  slots.release(1)
  for (let version = 50; version < 60; version++) slots.publish(arenaOf(version), version)
  assert.deepEqual([held[0]!.arena.data[0], held[2]!.arena.data[0]], [10, 12])
  assert.equal(slots.hold(1)!.version, 59)
})

test('an actor that starts again takes a new hold in place of the one that it left', () => {
  const { arenas, slots } = slotsFor(1)
  slots.publish(arenaOf(1), 1)
  slots.hold(0)
  slots.publish(arenaOf(2), 2)
  slots.hold(0)
  for (let version = 3; version < 10; version++) slots.publish(arenaOf(version), version)
  assert.equal(arenas.filter(({ data }) => data[0] === 2).length, 1)
  assert.equal(arenas.filter(({ data }) => data[0] === 1).length, 0)
})
