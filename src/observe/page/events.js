/** The log of events, latest first, with a filter. Written at most twice a second, and only what is shown. */
import { byId, clock, mean, short, shortId } from './format.js'

/** @typedef {import('../http/history.ts').TimedEvent} TimedEvent */
/** @typedef {import('../events.ts').PeerEvent} PeerEvent */

const MOST_KEPT = 2_000
const MOST_SHOWN = 200
const PERIOD_MS = 500

const list = byId('events')
const kind = /** @type {HTMLSelectElement} */ (byId('events-kind'))
const text = /** @type {HTMLInputElement} */ (byId('events-text'))

export class Events {
  /** @type {TimedEvent[]} */
  #events = []
  #due = 0

  constructor() {
    kind.addEventListener('change', () => this.#show())
    text.addEventListener('input', () => this.#later())
  }

  /** @param {TimedEvent[]} events */
  start(events) {
    this.#events = events
    this.#show()
  }

  /** @param {TimedEvent[]} events */
  add(events) {
    this.#events.push(...events)
    if (this.#events.length > MOST_KEPT) this.#events = this.#events.slice(-MOST_KEPT / 2)
    // Not under the cursor of somebody who reads.
    if (list.scrollTop < 4 && events.some((event) => this.#wanted(event))) this.#later()
  }

  #later() {
    if (this.#due === 0) this.#due = window.setTimeout(() => this.#show(), PERIOD_MS)
  }

  /** @param {TimedEvent} timed */
  #wanted({ event }) {
    const name = event.event
    const fits =
      kind.value === '' ? name !== 'mix' : kind.value === 'warning' ? name === 'warning' || name === 'error' : name === kind.value
    return fits && (text.value === '' || describe(event).toLowerCase().includes(text.value.toLowerCase()))
  }

  #show() {
    this.#due = 0
    const shown = []
    for (let i = this.#events.length - 1; i >= 0 && shown.length < MOST_SHOWN; i--) {
      const timed = this.#events[i]
      if (timed !== undefined && this.#wanted(timed)) shown.push(line(timed))
    }
    if (shown.length === 0) {
      const none = document.createElement('li')
      none.textContent = 'Nothing of this kind yet.'
      shown.push(none)
    }
    list.replaceChildren(...shown)
  }
}

/** @param {TimedEvent} timed */
function line({ event, seconds }) {
  const item = document.createElement('li')
  item.className = event.event
  const time = document.createElement('time')
  time.textContent = clock(seconds)
  const name = document.createElement('span')
  name.className = 'kind'
  name.textContent = event.event
  const what = document.createElement('span')
  what.textContent = describe(event)
  item.append(time, name, what)
  return item
}

/** @param {PeerEvent} event @returns {string} */
function describe(event) {
  switch (event.event) {
    case 'listening':
      return event.addresses.join(' ')
    case 'joined':
      return `took over the weights of ${shortId(event.from)} at version ${event.version}`
    case 'served':
      return `gave the weights to ${shortId(event.peer)}`
    case 'peer':
      return `${event.id} ${event.state}`
    case 'mix':
      return `with ${shortId(event.with)} (${event.strategy}): distance ${short(event.distance)}, staleness ${short(event.staleness)} updates, ${event.stalenessMs ?? '–'} ms, ${event.bytes} bytes`
    case 'refused':
      return `${event.peer}: ${event.code}`
    case 'warning':
    case 'error':
      return event.message
    case 'checkpoint':
      return event.path
    case 'solved':
      return `mean return ${mean(event.returnMean)} after ${event.steps.toLocaleString('en-US')} steps`
    case 'stopped':
      return event.reason
    default:
      return JSON.stringify(event)
  }
}
