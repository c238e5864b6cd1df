/**
 * An averaging strategy of one's own, whole: `lean` asks the next peer on the ring for its parameters and moves a fifth of the way there. It is
 * registered under a name and then chosen like any other; every peer of a run needs it. Here eight peers use it in the simulator with learning off,
 * so that only the averaging is seen; `createPeer({ strategy: 'lean' })` uses it between real machines. `node scripts/examples/own-strategy.ts`
 */
import { registerStrategy, simulate } from '../../src/index.ts'

const PROTOCOL = '/example/lean/1'
const MAX_FRAME_BYTES = 1_000_000
const STEP = 0.2

registerStrategy('lean', {
  rules: ['all'],
  start({ network, view, ownFrame, verify, apply, clock }) {
    let asked = 0
    let frame: Promise<{ readonly bytes: Uint8Array }> | null = null
    // Whoever asks gets the snapshot of this round, so that all peers answer for the same moment.
    network.serve(PROTOCOL, 0, async () => (await (frame ?? ownFrame())).bytes)
    return {
      async round({ delivered }) {
        const snapshot = ownFrame()
        frame = snapshot
        const own = await snapshot
        await delivered?.()
        const peers = view()
        const next = peers[(peers.indexOf(network.id) + 1) % peers.length]
        if (next === undefined || next === network.id) return
        const bytes = await network.request(next, PROTOCOL, new Uint8Array(0), { maxResponseBytes: MAX_FRAME_BYTES, timeoutMs: 5_000 })
        asked++
        // The gate: of this run, whole, finite, newer than the last of its author. What it refuses is counted there.
        const received = await verify(next, bytes)
        if (!received.ok) return
        const theirs = received.parameters
        const delta = own.mine.map((mine, i) => STEP * (theirs[i]! - mine))
        const { normalisers, version } = received.frame
        await apply(delta, own, [
          { author: received.author, normalisers, version, distance: null, bytes: bytes.length, receivedAtMs: clock.now() },
        ])
      },
      counters: () => ({ asked }),
    }
  },
})

const { consensusDistance } = await simulate({
  nodes: 8,
  rounds: 60,
  strategy: 'lean',
  learning: 'off',
  init: 'independent',
  dim: 500,
  seed: 1,
})
console.log(
  `distance between the replicas: ${consensusDistance[0]!.toFixed(3)} at first, ${consensusDistance.at(-1)!.toFixed(3)} after 60 rounds`,
)
