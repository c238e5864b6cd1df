/** Partners whom nobody has connected to yet: heard of through others, dialled when they are needed. */
import type { PeerId } from '../../ports/network.ts'
import { GrapevineError } from '../../util/errors.ts'
import { DIAL_TIMEOUT_MS } from '../limits.ts'
import type { StrategyContext } from '../strategies/strategy.ts'

type ReachingContext = Pick<StrategyContext, 'network' | 'clock' | 'signal' | 'authors'>

/** Runs `work` on a connection to `peer`; where there is none, dials the addresses that its beacons tell, once. Throws `refused` where nothing was sent. */
export async function reaching<T>(context: ReachingContext, peer: PeerId, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isUnconnected(error)) throw error
    const [address] = context.authors.get(peer)?.beacon?.addresses ?? []
    if (address === undefined) throw error
    await dial(context, address).catch(() => {
      throw error
    })
    return work()
  }
}

/** Is this the failure of a request that never left? */
export function isUnconnected(error: unknown): boolean {
  return error instanceof GrapevineError && error.code === 'refused'
}

async function dial({ network, clock, signal }: ReachingContext, address: string): Promise<void> {
  const overdue = new AbortController()
  const cancel = clock.after(DIAL_TIMEOUT_MS, () => overdue.abort(new GrapevineError('timeout', 'network', `${address} does not answer.`)))
  try {
    await network.dial(address, AbortSignal.any([signal, overdue.signal]))
  } finally {
    cancel()
  }
}
