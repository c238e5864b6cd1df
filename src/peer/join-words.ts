/** What follows `join`: addresses, an invitation, or several of them, which must then be of one run. Every fault is a sentence of its own. */
import { toString as encodeText } from 'uint8arrays/to-string'
import { GrapevineError } from '../util/errors.ts'
import { multiaddrOf, readAddress } from '../wire/address.ts'
import { decodeInvitation, type Invitation, looksLikeInvitation } from '../wire/invitation.ts'
import { MAX_ADDRESSES_GIVEN } from './limits.ts'

export interface JoinTarget {
  /** Multiaddrs, each once. */
  readonly addresses: readonly string[]
  /** Hex; null unless an invitation named it. */
  readonly runId: string | null
  /** The key that an invitation carried. */
  readonly swarmKey: { readonly hex: string } | null
  readonly faults: readonly { readonly code: string; readonly message: string }[]
}

export function readJoinWords(words: readonly string[]): JoinTarget {
  const addresses: string[] = []
  const invitations: Invitation[] = []
  const faults: { code: string; message: string }[] = []
  if (words.length > MAX_ADDRESSES_GIVEN) {
    const message = `At most ${MAX_ADDRESSES_GIVEN} addresses are tried, not ${words.length}; one peer that answers is enough`
    faults.push({ code: 'usage', message })
  }
  for (const word of words) {
    try {
      if (looksLikeInvitation(word)) {
        const invitation = decodeInvitation(word)
        invitations.push(invitation)
        addresses.push(...invitation.addresses)
      } else addresses.push(readOne(word))
    } catch (error) {
      if (!(error instanceof GrapevineError)) throw error
      faults.push({ code: error.code, message: error.message })
    }
  }
  const runs = new Set(invitations.map(({ run }) => run))
  if (runs.size > 1) faults.push({ code: 'usage', message: 'The invitations are for different runs; give one of them.' })
  const key = invitations.find(({ swarmKey }) => swarmKey !== null)?.swarmKey ?? null
  return {
    addresses: [...new Set(addresses)],
    runId: invitations[0]?.run ?? null,
    swarmKey: key === null ? null : { hex: encodeText(key, 'base16') },
    faults,
  }
}

function readOne(text: string): string {
  const read = readAddress(text.trim(), 'dial')
  if ('fault' in read) throw new GrapevineError('malformed', 'local', `"${text}" is no address to join: ${read.fault}`)
  return multiaddrOf(read)
}
