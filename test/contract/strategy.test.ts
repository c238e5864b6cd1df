import { broadcastDelta } from '../../src/average/broadcast.ts'
import type { OwnFrame } from '../../src/peer/frames.ts'
import { registerStrategy } from '../../src/peer/strategies.ts'
import { strategyContract } from './strategy.ts'

strategyContract({ name: 'broadcast', rounds: 2, keepsMean: true })
strategyContract({ name: 'broadcast', flags: { partner: 'ring' }, rounds: 10, keepsMean: true })
strategyContract({ name: 'pairwise', rounds: 20, keepsMean: true })
strategyContract({ name: 'pairwise', flags: { partner: 'matching' }, rounds: 20, keepsMean: true })
strategyContract({ name: 'pairwise', flags: { partner: 'exponential' }, rounds: 2, keepsMean: true })
strategyContract({ name: 'pairwise', flags: { partner: 'ring' }, rounds: 2, keepsMean: true })
strategyContract({ name: 'push-sum', rounds: 20, keepsMean: false })
strategyContract({ name: 'push-sum', flags: { partner: 'exponential' }, rounds: 16, keepsMean: false })
strategyContract({ name: 'server', rounds: 20, keepsMean: true })

/** One of a user's own: hears the next on the ring, a quarter of the way each round. */
registerStrategy('quarter-ring', {
  rules: ['all'],
  start({ network, view, ownFrame, verify, apply }) {
    let latest: OwnFrame | null = null
    network.serve('/example/quarter/1', 16, async () => (latest ?? (await ownFrame())).bytes)
    return {
      async round({ delivered }) {
        const own = await ownFrame()
        latest = own
        await delivered?.()
        const ids = view()
        const next = ids[(ids.indexOf(network.id) + 1) % ids.length]!
        const bytes = await network.request(next, '/example/quarter/1', new Uint8Array(0), { maxResponseBytes: 1e6, timeoutMs: 1_000 })
        const received = await verify(next, bytes)
        if (!received.ok) return
        const { author, frame, parameters } = received
        const delta = new Float32Array(own.mine.length)
        broadcastDelta([parameters], own.mine, delta, [0.5])
        await apply(delta, own, [
          { author, normalisers: frame.normalisers, version: frame.version, distance: 1, bytes: bytes.length, receivedAtMs: 0 },
        ])
      },
      counters: () => ({}),
    }
  },
})
strategyContract({ name: 'quarter-ring', rounds: 40, keepsMean: true })
