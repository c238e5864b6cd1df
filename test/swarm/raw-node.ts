/** A libp2p node under the test's control: what a peer that does not keep to Grapevine's rules is made of. */
import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { AGENT_VERSION } from '../../src/wire/protocol.ts'

interface RawNodeOptions {
  readonly agent?: string
  readonly privateKey?: PrivateKey
}

export async function bareNode(options: RawNodeOptions = {}): Promise<Libp2p> {
  return createLibp2p(await settings(options))
}

export async function rawNode(options: RawNodeOptions = {}): Promise<Libp2p<{ identify: Identify }>> {
  return createLibp2p({ ...(await settings<{ identify: Identify }>(options)), services: { identify: identify() } })
}

export async function rawGossipNode(options: RawNodeOptions = {}): Promise<Libp2p<{ identify: Identify; gossip: GossipSub }>> {
  return createLibp2p({
    ...(await settings<{ identify: Identify; gossip: GossipSub }>(options)),
    services: { identify: identify(), gossip: gossipsub({ allowPublishToZeroTopicPeers: true }) },
  })
}

async function settings<Services extends ServiceMap>({
  agent = AGENT_VERSION,
  privateKey,
}: RawNodeOptions): Promise<Libp2pOptions<Services>> {
  return {
    privateKey: privateKey ?? (await generateKeyPair('Ed25519')),
    nodeInfo: { userAgent: agent },
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  }
}
