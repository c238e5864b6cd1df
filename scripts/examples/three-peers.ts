/** A swarm of three peers in one script: one founds a run, two join it; it ends once both joiners have averaged. */
import { createPeer } from '../../src/index.ts'

const folder = process.argv[2] ?? './swarm'
const founder = createPeer({ env: 'CartPole-v1', 'data-dir': `${folder}/1` })
await founder.start()
const join = founder.status().addresses
const joiners = ['2', '3'].map((name) => createPeer({ join, 'data-dir': `${folder}/${name}` }))
const averaged = joiners.map((peer) => new Promise<string>((resolve) => peer.on((event) => event.event === 'mix' && resolve(event.with))))
await Promise.all(joiners.map((peer) => peer.start()))
await Promise.all(averaged)
console.log(`both joiners have averaged; ${founder.status().peers.length} peers are known to the founder`)
await Promise.all([founder, ...joiners].map((peer) => peer.stop()))
