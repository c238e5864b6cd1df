/** The bridge's thread: takes the caller's requests one at a time (`close` at any time), has the lanes answer them, and wakes the caller. */
import { GrapevineError } from '../../util/errors.ts'
import { Lane } from './lane.ts'
import { ANSWERED, type BridgeNotice, type BridgeRequest, type BridgeThreadData, FAILED, PULSE, RESTARTS } from './plan.ts'

/** Serves until `close`, after which nothing keeps the thread alive. */
export function serveBridge({ plan, port }: BridgeThreadData): void {
  const { control } = plan
  const tell = (notice: BridgeNotice) => port.postMessage(notice)
  const pulse = () => {
    Atomics.add(control, PULSE, 1)
    Atomics.notify(control, PULSE)
  }
  const lanes = plan.lanes.map(
    (_, index) =>
      new Lane(plan, index, (message) => {
        tell({ kind: 'restarted', message })
        Atomics.add(control, RESTARTS, 1)
        pulse()
      }),
  )
  const answer = async (request: BridgeRequest) => {
    // Every lane finishes, so that none is still writing when the caller goes on.
    const results = await Promise.allSettled(lanes.map((lane) => perform(lane, request)))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure !== undefined) tell(failed(failure.reason))
    Atomics.store(control, FAILED, failure === undefined ? 0 : 1)
    Atomics.add(control, ANSWERED, 1)
    pulse()
    if (request === 'close') port.close()
  }
  port.on('message', answer)
  // The caller waits for this sign of life before its first request.
  pulse()
}

function perform(lane: Lane, request: BridgeRequest): Promise<void> {
  if (request === 'step') return lane.step()
  if (request === 'close') return lane.close()
  return lane.reset(request.seed, request.flags, request.options)
}

function failed(error: unknown): BridgeNotice {
  if (error instanceof GrapevineError) return { kind: 'failed', code: error.code, message: error.message, data: error.data }
  return {
    kind: 'failed',
    code: 'bridge_lost',
    message: `The Python bridge failed: ${error instanceof Error ? error.message : error}.`,
    data: {},
  }
}
