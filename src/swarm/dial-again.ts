/**
 * Dialling again: a peer that speaks libp2p, but with which the handshake did not come to its end, or who hung up before it had heard who we are,
 * is no other program. On a busy machine one side's deadline cuts it short. Tried DIAL_ATTEMPTS times, then `timeout` says so; every other
 * outcome is that of `dial`.
 */
import type { NetworkErrorCode, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { readAddress } from '../wire/address.ts'
import { type Dialer, dial } from './dial.ts'
import { DIAL_ATTEMPTS } from './limits.ts'
import { languageAt } from './probe.ts'

export async function dialAgain(dialer: Dialer, text: string, signal: AbortSignal): Promise<PeerId> {
  for (let left = DIAL_ATTEMPTS - 1; ; left--) {
    try {
      return await dial(dialer, text, signal)
    } catch (error) {
      if (!(error instanceof GrapevineError) || signal.aborted) throw error
      if (waitedInVain(error) && left > 0) continue
      if (error.code !== 'other_network' || !(await speaksLibp2p(dialer, text, signal))) throw error
      if (left === 0) throw unfinished(text, error.data)
    }
  }
}

/** It hung up because it had not heard in time who we are. */
function waitedInVain({ code, data }: GrapevineError): boolean {
  return code === 'timeout' && data.waitedMs !== undefined
}

async function speaksLibp2p({ clock, stopping }: Dialer, text: string, signal: AbortSignal): Promise<boolean> {
  const address = readAddress(text, 'dial')
  return 'target' in address && (await languageAt(address.target, clock, signal, stopping)) === 'libp2p'
}

function unfinished(text: string, data: Readonly<Record<string, unknown>>): GrapevineError<NetworkErrorCode> {
  const message = `The peer at ${text} answered, but hung up ${DIAL_ATTEMPTS} times before both sides were known to each other: it, or this machine, is too busy; try again in a moment.`
  return new GrapevineError('timeout', 'network', message, data)
}
