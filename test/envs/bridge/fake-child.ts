/**
 * Stands in for Python in tests of the bridge: speaks the protocol of bridge.py, describes itself as FAKE_DESCRIPTION says, and misbehaves as the environment's arguments say.
 * Row r shows [step of its episode, seed of its episode] and gets the reward step + r / 10; an episode ends after `length` steps, and its
 * successor's seed is 1000 higher. A fault happens at step `at` (counted in this process) of the first `times` processes.
 */
import { appendFileSync, readFileSync, readSync, writeSync } from 'node:fs'

interface Arguments {
  /** A file with one line, the process id, for each process that opened environments. */
  readonly starts: string
  readonly length?: number
  readonly fault?: string
  readonly at?: number
  readonly times?: number
}

const MAGIC = 0x31425647
const STREAM_GOES_ON = 0xffff_ffff_ffff_ffffn

const description = JSON.parse(process.env.FAKE_DESCRIPTION!)

function read(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const got = readSync(0, bytes, at, length - at, null)
    if (got === 0) process.exit(0)
    at += got
  }
  return bytes
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}

function answer(kind: number, sequence: number, payload: Uint8Array, length = payload.length): void {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(MAGIC, 0)
  header.writeUInt32LE(kind, 4)
  header.writeUInt32LE(sequence, 8)
  header.writeUInt32LE(length, 12)
  write(Buffer.concat([header, payload]))
}

const words = (value: unknown) => Buffer.from(JSON.stringify(value))

function serve(): void {
  let given: Arguments = { starts: '' }
  let count = 0
  let autoreset = true
  let steps = 0
  let faulty = false
  let seeds: number[] = []
  let ages: number[] = []
  for (;;) {
    const header = read(16)
    const kind = header.readUInt32LE(4)
    const sequence = header.readUInt32LE(8)
    const payload = read(header.readUInt32LE(12))
    if (kind === 1) {
      const request = JSON.parse(payload.toString())
      given = request.arguments
      count = request.count
      autoreset = request.autoreset
      seeds = new Array(count).fill(0)
      ages = new Array(count).fill(0)
      appendFileSync(given.starts, `${process.pid}\n`)
      faulty = readFileSync(given.starts, 'utf8').trim().split('\n').length <= (given.times ?? 1)
      if (given.fault === 'refuse') answer(18, sequence, words({ code: 'failed', what: 'make', message: 'ValueError: no' }))
      else if (given.fault === 'other spaces') answer(16, sequence, words({ ...description, threshold: 8 }))
      else if (given.fault === 'sleep at start') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      else answer(16, sequence, words(description))
      continue
    }
    const flagsAt = 8 * count
    const observationsAt = flagsAt + Math.ceil((2 * count) / 8) * 8
    const finalsAt = observationsAt + 8 * count
    const rows = Buffer.alloc(finalsAt + 8 * count)
    const show = (at: number, row: number) => {
      rows.writeFloatLE(ages[row]!, at)
      rows.writeFloatLE(seeds[row]!, at + 4)
    }
    let length = finalsAt
    if (kind === 2) {
      const seedsAt = Math.ceil(count / 8) * 8
      for (let row = 0; row < count; row++) {
        if (payload[row] === 0) continue
        const seed = payload.readBigUInt64LE(seedsAt + 8 * row)
        seeds[row] = seed === STREAM_GOES_ON ? seeds[row]! + 1000 : Number(seed)
        ages[row] = 0
      }
      const options = payload.subarray(seedsAt + 8 * count).toString()
      if (options !== '') seeds[0] = JSON.parse(options).show
    } else {
      steps++
      for (let row = 0; row < count; row++) {
        ages[row]!++
        rows.writeDoubleLE(ages[row]! + row / 10, 8 * row)
        if (ages[row] !== given.length) continue
        rows[flagsAt + row] = 1
        if (!autoreset) continue
        show(length, row)
        length += 8
        seeds[row]! += 1000
        ages[row] = 0
      }
    }
    for (let row = 0; row < count; row++) show(observationsAt + 8 * row, row)
    const fault = faulty && steps === given.at ? given.fault : undefined
    const whole = rows.subarray(0, length)
    if (fault === 'exit') {
      writeSync(2, 'Traceback of something\nSimulatorError: out of cheese\n')
      process.exit(3)
    } else if (fault === 'half') {
      answer(17, sequence, whole.subarray(0, length - 5), length)
      process.kill(process.pid, 'SIGKILL')
    } else if (fault === 'hang') {
      process.kill(process.pid, 'SIGSTOP')
    } else if (fault === 'print') {
      write(Buffer.from('Hello from a library that prints!'))
    } else if (fault === 'stale') {
      answer(17, sequence - 1, whole)
    } else if (fault === 'long') {
      answer(17, sequence, new Uint8Array(0), 4_000_000_000)
    } else if (fault === 'flags') {
      rows[flagsAt] = 7
      answer(17, sequence, whole)
    } else if (fault === 'nan') {
      rows.writeFloatLE(Number.NaN, observationsAt + 12)
      answer(17, sequence, whole)
    } else if (fault === 'reward') {
      rows.writeDoubleLE(Number.POSITIVE_INFINITY, 8)
      answer(17, sequence, whole)
    } else if (fault === 'raise') {
      answer(18, sequence, words({ code: 'failed', what: 'step', message: 'ValueError: bad day' }))
    } else {
      answer(17, sequence, whole)
    }
  }
}

serve()
