import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STALL_MS, STALL_TICK_MS } from '../../src/node/limits.ts'
import { patientClock } from '../../src/node/patient-clock.ts'
import type { Clock } from '../../src/ports/clock.ts'

/** A machine whose process can stand still: time passes, neither ticks nor timers come, and all that is due comes at once afterwards. */
class Machine {
  ms = 1_000
  tick = () => {}
  readonly #timers: { atMs: number; run: () => void }[] = []

  readonly clock: Clock = {
    now: () => this.ms,
    unixSeconds: () => 0,
    sleep: () => Promise.reject(new Error('unused')),
    after: (ms, run) => {
      const timer = { atMs: this.ms + ms, run }
      this.#timers.push(timer)
      return () => this.#timers.splice(this.#timers.indexOf(timer), 1)
    },
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += STALL_TICK_MS) {
      this.ms += STALL_TICK_MS
      this.#fire()
      this.tick()
    }
  }

  standStill(ms: number): void {
    this.ms += ms
    this.#fire()
    this.tick()
  }

  #fire(): void {
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.ms) continue
      this.#timers.splice(this.#timers.indexOf(timer), 1)
      timer.run()
    }
  }
}

function patient() {
  const machine = new Machine()
  const clock = patientClock(machine.clock, (tick) => {
    machine.tick = tick
    return () => {}
  })
  return { machine, clock }
}

test('a healthy process has the time of its machine', (context) => {
  const { machine, clock } = patient()
  context.after(() => clock.stop())
  machine.run(10_000)
  assert.equal(clock.now(), machine.ms)
  assert.equal(clock.stalledMs(), 0)
})

test('of a standstill only STALL_MS count, and deadlines wait for it to be made up for', (context) => {
  const { machine, clock } = patient()
  context.after(() => clock.stop())
  let fired = false
  clock.after(5_000, () => {
    fired = true
  })
  machine.run(1_000)
  const before = clock.now()
  machine.standStill(30_000)
  assert.equal(clock.now() - before, STALL_MS)
  assert.equal(clock.stalledMs(), 30_000 - STALL_MS)
  assert.equal(fired, false)
  machine.run(5_000 - 1_000 - STALL_MS - STALL_TICK_MS)
  assert.equal(fired, false)
  machine.run(2 * STALL_TICK_MS)
  assert.equal(fired, true)
})

test('time never goes back, not while it stands still either', (context) => {
  const { machine, clock } = patient()
  context.after(() => clock.stop())
  let last = clock.now()
  for (const ms of [10, 499, 1, 5_000, 30, 700]) {
    machine.ms += ms
    assert.ok(clock.now() >= last)
    last = clock.now()
    if (ms % 2 === 0) machine.tick()
    assert.ok(clock.now() >= last)
  }
})

test('a timer that was cancelled does not come back', (context) => {
  const { machine, clock } = patient()
  context.after(() => clock.stop())
  let fired = false
  const cancel = clock.after(1_000, () => {
    fired = true
  })
  machine.standStill(2_000)
  cancel()
  machine.run(5_000)
  assert.equal(fired, false)
})
