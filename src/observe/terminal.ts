/**
 * What a daemon says to a person: pure functions from events and settings to lines of text. Where the lines go, and when, is the caller's.
 */
import type { PeerEvent, PeerStatus } from './events.ts'
import { compact, count, distance, duration, harmless, mean, plural, shortId } from './format.ts'

type EventNamed<Name extends PeerEvent['event']> = Extract<PeerEvent, { event: Name }>

/** Escape sequences for a terminal that shows colours, empty texts for one that must not (NO_COLOR). */
export interface Paint {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly dim: (text: string) => string
}

export function paint(colours: boolean): Paint {
  const wrap = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { good: wrap(32), bad: wrap(33), dim: wrap(2) }
}

export interface Greeting {
  readonly version: string
  readonly environment: string
  readonly algorithm: string
  readonly engine: string
  readonly dataDir: string
  readonly addresses: readonly string[]
  /** The words that start this program when pasted into a shell: `grapevine`, or what stands for it here. */
  readonly program: string
  /** What a joiner on this machine must add to the address, as one writes it in a shell. */
  readonly joinFlags: readonly string[]
  /** Where the dashboard is, null without one; `token` null where it must not be shown. */
  readonly dashboard: { readonly url: string; readonly token: string | null } | null
  /** The command that was given: for the advice how to reach other machines. */
  readonly command: 'start' | 'join'
  /** Absent: it learns. */
  readonly observing?: boolean
}

/** What is trained, where its things are, who can reach it and how. */
export function greeting(facts: Greeting): string[] {
  const [best] = [...facts.addresses].sort((a, b) => Number(isLoopback(a)) - Number(isLoopback(b)))
  const reach = facts.addresses.every(isLoopback)
    ? `this machine only; for others: ${facts.command} --lan`
    : 'other machines that reach these addresses'
  return [
    `Grapevine ${facts.version}: ${doing(facts)} ${harmless(facts.environment)} with ${facts.algorithm} (${facts.engine})`,
    `  data folder  ${facts.dataDir}`,
    ...facts.addresses.map((address, i) => `  ${i === 0 ? 'addresses' : '         '}    ${address}`),
    `  open to      ${reach}`,
    ...dashboardLines(facts),
    ...(best === undefined ? [] : ['Paste this to join:', `  ${[facts.program, 'join', best, ...facts.joinFlags].join(' ')}`]),
  ]
}

function doing({ command, observing }: Greeting): string {
  if (observing === true) return 'following, without learning, a run that trains'
  return command === 'start' ? 'training' : 'joined a run that trains'
}

function dashboardLines({ dashboard, dataDir }: Greeting): string[] {
  if (dashboard === null) return []
  const where = `${dataDir}/http-token`
  return [`  dashboard    ${dashboard.url}`, `  its token    ${dashboard.token ?? `in ${where}`}`]
}

/** How a peer stands: what `stats` and a status have in common. */
export type Standing = Pick<EventNamed<'stats'>, 'steps' | 'stepsPerSecond' | 'returnMean' | 'episodes' | 'peers' | 'consensusDistance'> &
  Pick<PeerStatus, 'observing'>

/** Others that learn and average. */
export function partnerCount({ peers }: Pick<PeerStatus, 'peers'>): number {
  return peers.filter(({ state, observing }) => state === 'alive' && observing !== true).length
}

/** The line that a terminal keeps updating, at most `columns` wide. */
export function liveLine(standing: Standing, curve: string, columns: number): string {
  const { steps, stepsPerSecond, returnMean, peers, consensusDistance } = standing
  const learned = [
    `${compact(steps)} steps`,
    ...(stepsPerSecond === null ? [] : [`${compact(stepsPerSecond)}/s`]),
    `return ${mean(returnMean)}${curve === '' ? '' : ` ${curve}`}`,
  ]
  const parts = [
    ...(standing.observing === true ? ['following'] : learned),
    plural(peers, 'peer'),
    ...(consensusDistance === null ? [] : [`distance ${distance(consensusDistance)}`]),
  ]
  return parts.join('  ').slice(0, Math.max(0, columns))
}

/** The same for a file or a pipe: whole numbers, no curve. */
export function plainLine(standing: Standing): string {
  const { steps, stepsPerSecond, returnMean, episodes, peers, consensusDistance } = standing
  const rate = stepsPerSecond === null ? '' : ` (${count(stepsPerSecond)}/s)`
  const apart = consensusDistance === null ? '' : `, consensus distance ${distance(consensusDistance)}`
  if (standing.observing === true) return `following ${plural(peers, 'peer')}${apart}`
  return `${plural(steps, 'step')}${rate}, ${plural(episodes, 'episode')}, mean return ${mean(returnMean)}, ${plural(peers, 'peer')}${apart}`
}

/** `afterwards`: what happens next, such as "going on, Ctrl-C stops"; empty when the daemon leaves. */
export function solvedLine(solved: EventNamed<'solved'>, environment: string, afterwards: string): string {
  const facts = `mean return ${mean(solved.returnMean)} over 100 episodes after ${plural(solved.steps, 'step')} in ${duration(solved.seconds)}`
  return `solved ${harmless(environment)}: ${facts}${afterwards === '' ? '' : `; ${afterwards}`}`
}

/** One line for an event that a person wants to know of; null for those that the other functions show or that only machines read. */
export function eventLine(event: PeerEvent): string | null {
  switch (event.event) {
    case 'joined':
      return `took over the weights of peer ${shortId(event.from)} at version ${count(event.version)}`
    case 'served':
      return `gave the weights to peer ${shortId(event.peer)}`
    case 'peer':
      return event.state === 'connecting' ? null : `peer ${shortId(event.id)} ${PEER_STATES[event.state]}`
    case 'warning':
      return `warning: ${harmless(event.message)}`
    case 'error':
      return `error: ${harmless(event.message)}`
    case 'stopped':
      return `stopped after ${plural(event.steps, 'step')} (${event.reason})`
    case 'evaluation': {
      const { stochastic } = event
      const sampled = stochastic === null ? '' : `, ${mean(stochastic)} with sampled actions`
      return `evaluated after ${plural(event.steps, 'step')}: mean return ${mean(event.deterministic)}${sampled}`
    }
    default:
      return null
  }
}

const PEER_STATES = { alive: 'is here', silent: 'has fallen silent', left: 'has left', banned: 'is banned' } as const

function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\/|^\/dns[46]?\/localhost\//.test(address)
}
