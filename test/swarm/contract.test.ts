import assert from 'node:assert/strict'
import { networkContract } from '../contract/network.ts'
import { closedPort, loopbackSwarm, until } from './support.ts'

/** Sockets and servers that hold the process. Timers of the test runner itself come and go, so theirs are counted in host.test.ts. */
const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length

networkContract('the network over libp2p', () => {
  const before = sockets()
  let created = 0
  return {
    create: () => loopbackSwarm(created++),
    until,
    nobody: async () => `127.0.0.1:${await closedPort()}`,
    assertNothingLeft: async () => {
      await until(() => sockets() <= before, 'closing all sockets')
      assert.equal(sockets(), before)
    },
  }
})
