/** What every network promises (src/ports/network.ts), on sockets and in memory. */
import { afterEach, beforeEach, describe } from 'node:test'
import { NetworkFixture, type NetworkHarness } from './network-fixture.ts'
import { gossipContract } from './network-gossip.ts'
import { peersContract } from './network-peers.ts'
import { requestsContract } from './network-requests.ts'

export function networkContract(name: string, createHarness: () => NetworkHarness): void {
  describe(name, () => {
    const fixture = new NetworkFixture(createHarness)
    beforeEach(() => fixture.reset())
    afterEach(() => fixture.stopAll())
    gossipContract(fixture)
    requestsContract(fixture)
    peersContract(fixture)
  })
}
