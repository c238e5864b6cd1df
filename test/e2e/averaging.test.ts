import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { codecNamed } from '../../src/average/codecs.ts'
import { exactConsensusDistance, meanOf, squaredDistance } from '../../src/average/distance.ts'
import { keyFromSeed, peerIdOfKey } from '../../src/swarm/identity.ts'
import { type AveragingProcess, meet, type Report, startAveraging } from '../support/averaging.ts'
import { identityOf, startValues } from '../support/averaging-values.ts'

const DIMENSION = 2_000
const running = new Set<AveragingProcess>()

async function start(count: number, dimension: number, flags: Readonly<Record<string, unknown>>): Promise<AveragingProcess[]> {
  // Who the server is stands in the manifest that all found.
  const named = flags.strategy === 'server' ? { ...flags, server: peerIdOfKey(keyFromSeed(identityOf(0))) } : flags
  const processes = await Promise.all(Array.from({ length: count }, (_, index) => startAveraging({ index, dimension, flags: named })))
  for (const process of processes) running.add(process)
  assert.equal(new Set(processes.map(({ run }) => run)).size, 1, 'all found the same run')
  return processes
}

async function stop(processes: readonly AveragingProcess[]): Promise<void> {
  for (const process of processes) running.delete(process)
  await Promise.all(processes.map((process) => process.stop()))
}

after(async () => {
  for (const process of running) await process.kill()
})

const largest = (a: Float32Array | Float64Array, b: Float32Array | Float64Array) => {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}
const together = (processes: readonly AveragingProcess[]) =>
  Promise.all(processes.map((process) => process.tell({ do: 'round', together: true })))
const distanceOf = async (processes: readonly AveragingProcess[]) =>
  exactConsensusDistance(await Promise.all(processes.map((process) => process.values()))).distance

describe('averaging between processes over the real network', () => {
  test('one exchange after the other in memory that is used again, and each gives the mean of what two had', async () => {
    const dimension = 300_000
    const processes = await start(3, dimension, { strategy: 'pairwise' })
    await meet(processes)
    const expected: Float64Array[] = processes.map((_, index) => Float64Array.from(startValues(0, index, dimension)))
    for (let cycle = 0; cycle < 3; cycle++) {
      for (const [one, other] of [
        [0, 1],
        [2, 1],
        [0, 2],
        [1, 0],
      ] as const) {
        await processes[one]!.tell({ do: 'round', partner: processes[other]!.peer })
        const mean = meanOf([expected[one]!, expected[other]!])
        expected[one] = mean
        expected[other] = mean
      }
    }
    for (const [i, process] of processes.entries()) {
      const apart = largest(await process.values(), expected[i]!)
      assert.ok(apart < 1e-5, `process ${i} is off by ${apart}`)
    }
    await stop(processes)
  })

  for (const codec of ['f16', 'int8']) {
    test(`an exchange of a model that a helper thread works on in frames that are small enough for the main thread: ${codec}`, async () => {
      const dimension = 300_000
      const processes = await start(2, dimension, { strategy: 'pairwise', codec })
      await meet(processes)
      await processes[0]!.tell({ do: 'round', partner: processes[1]!.peer })
      const starts = [0, 1].map((index) => startValues(0, index, dimension))
      const [mine, theirs] = await Promise.all(processes.map((process) => process.values()))
      const { errorBound } = codecNamed(codec)
      const error = Math.max(...starts.map((values) => errorBound(largest(values, new Float32Array(dimension)))))
      assert.ok(largest(mine!, meanOf(starts)) <= error + 1e-6, 'each is within the error of its codec from the mean of what the two had')
      assert.ok(largest(meanOf([mine!, theirs!]), meanOf(starts)) < 1e-6, 'whose mean is left where it was')
      await stop(processes)
    })
  }

  for (const strategy of ['broadcast', 'pairwise', 'server', 'push-sum']) {
    test(`${strategy}: two processes, then four`, async () => {
      const processes = await start(4, DIMENSION, { strategy })
      await twoAgree(strategy, processes.slice(0, 2))
      await meet(processes)
      if (strategy === 'pairwise') await contractAsReplayed(processes)
      else {
        await Promise.all(processes.map((process) => process.tell({ do: 'adopt', seed: 1 })))
        const before = await distanceOf(processes)
        for (let round = 0; round < 20; round++) await together(processes)
        const now = await distanceOf(processes)
        assert.ok(now < 0.01 * before, `${before} became ${now}`)
      }
      await stop(processes)
    })
  }

  test('a peer killed in the middle of an exchange leaves the other with its old values or the new ones, never a mixture', async () => {
    const dimension = 1_000_000
    const values = [0, 1].map((index) => startValues(0, index, dimension)) as [Float32Array, Float32Array]
    let broken = 0
    for (const [victim, share] of [
      ['responder', 0.5],
      ['initiator', 0.5],
    ] as const) {
      const processes = await start(2, dimension, { strategy: 'pairwise' })
      await meet(processes)
      const [initiator, responder] = processes as [AveragingProcess, AveragingProcess]
      const survivor = victim === 'responder' ? initiator : responder
      const dying = victim === 'responder' ? responder : initiator
      await survivor.tell({ do: 'tellBytes', bytes: share * 4 * dimension })
      const round = initiator.tell({ do: 'round', partner: responder.peer }).catch(() => undefined)
      await survivor.told
      await dying.kill()
      if (victim === 'responder') await round
      const left = await survivor.values()
      const [own, other] = survivor === initiator ? values : [values[1], values[0]]
      const isOld = left.every((value, i) => value === own[i])
      const isNew = left.every((value, i) => value === Math.fround(own[i]! + Math.fround(Math.fround(other[i]! - own[i]!) / 2)))
      assert.ok(isOld || isNew, `${victim} killed at ${share}`)
      if (isOld) broken++
      running.delete(dying)
      await stop([survivor])
    }
    assert.ok(broken > 0, 'no exchange was broken: every kill came too late')
  })
})

/** Equal after one completed round, within what push-sum promises after 20. */
async function twoAgree(strategy: string, processes: readonly AveragingProcess[]): Promise<void> {
  await meet(processes)
  const rounds = strategy === 'push-sum' ? 20 : 1
  for (let round = 0; round < rounds; round++) await together(processes)
  const [a, b] = (await Promise.all(processes.map((process) => process.values()))) as [Float32Array, Float32Array]
  if (strategy === 'push-sum') {
    const { relative } = exactConsensusDistance([a, b])
    assert.ok(relative !== null && relative < 1e-3, `${relative} after 20 rounds`)
    return
  }
  const mean = meanOf([startValues(0, 0, DIMENSION), startValues(0, 1, DIMENSION)])
  assert.ok(largest(a, b) < 1e-6, `${largest(a, b)} apart after one round`)
  assert.ok(largest(a, mean) < 1e-6, 'they met at their mean')
}

/** Over at least 200 exchanges, in short runs from new values each, because exact averages have no logarithm. */
async function contractAsReplayed(processes: readonly AveragingProcess[]): Promise<void> {
  const indexOf = (peer: string) => processes.findIndex((process) => process.peer === peer)
  const reportsOf = () => Promise.all(processes.map((process) => process.tell<Report>({ do: 'report' })))
  const sums = { start: 0, measured: 0, replayed: 0 }
  let exchanges = 0
  await reportsOf()
  for (let seed = 1; exchanges < 200; seed++) {
    await Promise.all(processes.map((process) => process.tell({ do: 'adopt', seed })))
    await Promise.all(processes.map((process) => process.tell({ do: 'round' })))
    const mixes = (await reportsOf()).map((report) => report.mixes)
    const replicas = processes.map(({ index }) => Float64Array.from(startValues(seed, index, DIMENSION)))
    sums.start += spread(replicas)
    for (const [one, other] of inOrder(mixes, indexOf)) {
      exchanges++
      for (let i = 0; i < DIMENSION; i++) {
        const middle = (replicas[one]![i]! + replicas[other]![i]!) / 2
        replicas[one]![i] = middle
        replicas[other]![i] = middle
      }
    }
    sums.replayed += spread(replicas)
    sums.measured += spread(await Promise.all(processes.map((process) => process.values())))
  }
  const measured = -Math.log(sums.measured / sums.start)
  const expected = -Math.log(sums.replayed / sums.start)
  assert.ok(expected > 0.5, `there is something to see: ${expected}`)
  assert.ok(Math.abs(measured / expected - 1) < 0.1, `-ln: measured ${measured}, replayed ${expected}, ${exchanges} exchanges`)
}

/** Sum of squared distances from the mean. */
function spread(vectors: readonly (Float32Array | Float64Array)[]): number {
  const mean = meanOf(vectors)
  return vectors.reduce((sum, values) => sum + squaredDistance(values, mean), 0)
}

/** Exchanges in the order in which their responders applied them, which is an order that both sides agree with. The k-th mix of one with another is the k-th of that other with it. */
function inOrder(
  mixes: readonly (readonly { readonly with: string; readonly atMs: number }[])[],
  indexOf: (peer: string) => number,
): [number, number][] {
  const exchanges: { pair: [number, number]; atMs: number }[] = []
  for (const [one, own] of mixes.entries()) {
    for (let other = one + 1; other < mixes.length; other++) {
      const here = own.filter((mix) => indexOf(mix.with) === other)
      const there = mixes[other]!.filter((mix) => indexOf(mix.with) === one)
      assert.equal(here.length, there.length, 'both sides of every exchange have it')
      for (const [k, mix] of here.entries()) exchanges.push({ pair: [one, other], atMs: Math.min(mix.atMs, there[k]!.atMs) })
    }
  }
  return exchanges.sort((a, b) => a.atMs - b.atMs).map(({ pair }) => pair)
}
