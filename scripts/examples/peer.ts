/** A peer in ten lines: founds a run, trains until the task is solved, leaves. `node scripts/examples/peer.ts FOLDER` keeps its things in FOLDER. */
import { createPeer } from '../../src/index.ts'

const peer = createPeer({ env: 'CartPole-v1', until: 'solved', 'data-dir': process.argv[2] ?? './peer' })
peer.on((event) => {
  if (event.event === 'solved') console.log(`solved after ${event.steps} steps`)
})
await peer.start()
await peer.finished
