/** The page: asks once for what was, then follows what happens. */
import { command, follow, read, sure } from './connection.js'
import { Curves } from './curves.js'
import { Events } from './events.js'
import { ago, byId, compact, count, mean, short, shortId } from './format.js'
import { Policy } from './policy.js'
import { Swarm } from './swarm.js'

/** @typedef {import('../http/recorder.ts').Standing} Standing */
/** @typedef {import('../http/history.ts').TimedEvent} TimedEvent */

const curves = new Curves()
const events = new Events()
const swarm = new Swarm()
const policy = new Policy()
/** @type {readonly string[]} */
let commands = []
let lastStanding = /** @type {Standing | null} */ (null)
let lost = false

async function begin() {
  try {
    const [standing, points, journal, facts, open] = await Promise.all(
      ['/api/status', '/api/curves', '/api/events', '/api/run', '/api/invitation'].map(read),
    )
    commands = open.commands
    curves.start(points)
    events.start(journal)
    show(standing)
    showFacts('manifest', facts.manifest)
    showFacts('settings', facts.settings)
    showInvitation(open.invitation)
    policy.start(open.plays)
    byId('notice').hidden = true
    for (const button of document.querySelectorAll('[data-command]')) {
      button.addEventListener('click', () => void press(/** @type {HTMLElement} */ (button).dataset.command ?? ''))
    }
    follow('/api/stream', { points: (more) => curves.add(more), events: take, status: show }, connection)
  } catch (error) {
    notice(`This page cannot reach its daemon: ${message(error)} It tries again.`)
    setTimeout(() => void begin(), 2_000)
  }
}

/** @param {TimedEvent[]} list */
function take(list) {
  events.add(list)
  for (const { event } of list) {
    if (event.event === 'mix') swarm.mixed(event.with)
    if (event.event === 'warning' || event.event === 'error') notice(event.message)
    if (event.event === 'stopped') notice(`The daemon has stopped: ${event.reason}.`)
  }
}

/** @param {boolean} broken */
function connection(broken) {
  lost = broken
  showState()
}

/** @param {Standing} standing */
function show(standing) {
  lastStanding = standing
  const alive = standing.peers.filter((peer) => peer.state === 'alive')
  byId('run-name').textContent = standing.name
  document.title = `${standing.name} · Grapevine`
  byId('run-line').textContent =
    `${standing.environment} with ${standing.algorithm} (${standing.engine}), averaging by ${standing.strategy}, run ${standing.run.slice(0, 12)}`
  byId('tile-return').textContent = mean(standing.returnMean)
  byId('tile-steps').textContent = compact(standing.steps)
  byId('tile-episodes').textContent = `${count(standing.episodes)} episodes`
  byId('tile-rate').textContent = compact(standing.stepsPerSecond)
  byId('tile-updates').textContent = `${count(standing.updates)} updates`
  byId('tile-peers').textContent = String(alive.length)
  byId('tile-known').textContent = `alive of ${standing.peers.length} known`
  byId('tile-distance').textContent = short(standing.consensusDistance)
  byId('swarm-line').textContent =
    standing.peers.length === 0
      ? 'Nobody else yet; the invitation below brings others.'
      : `${alive.length} alive, ${standing.peers.filter((peer) => peer.connected).length} connected to this peer`
  swarm.show(standing)
  showPeers(standing)
  showState()
}

function showState() {
  const state = byId('state')
  const [name, text] = lost ? ['lost', 'connection lost'] : lastStanding?.paused ? ['paused', 'paused'] : ['learning', doing(lastStanding)]
  if (state.textContent !== text) state.textContent = text
  state.className = `state ${name}`
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-command]'))) {
    const what = button.dataset.command ?? ''
    const paused = lastStanding?.paused === true
    const fits = what === 'pause' ? !paused : what === 'resume' ? paused : true
    button.hidden = !fits || !commands.includes(what)
  }
}

/** @param {Standing | null} standing */
function doing(standing) {
  if (standing?.observing) return 'following, not learning'
  return standing?.relayedOnly ? 'learning alone: reached only through a relay' : 'learning'
}

/** Rows stay where they are, so that a button keeps the keyboard's focus. @type {Map<string, HTMLTableRowElement>} */
const rows = new Map()

/** @param {Standing} standing */
function showPeers({ peers }) {
  const body = byId('peers')
  for (const peer of peers) {
    const row = rows.get(peer.id) ?? newRow(peer.id, body)
    const causes = Object.entries(peer.causes).map(([code, times]) => `${code} ${times}`)
    const trusted = peer.trust >= 0.995 ? [] : [`trust ${peer.trust.toFixed(2)}${peer.muted ? ', muted' : ''}`]
    const cells = [
      null,
      peer.observing && peer.state === 'alive' ? 'observing' : peer.state,
      compact(peer.steps),
      mean(peer.returnMean),
      compact(peer.version),
      count(peer.mixes),
      ago(peer.mixedSecondsAgo),
      [...trusted, ...causes].join(', ') || '–',
    ]
    for (const [i, text] of cells.entries()) {
      const cell = row.cells[i]
      if (text !== null && cell !== undefined && cell.textContent !== text) cell.textContent = text
    }
    const dot = row.querySelector('.dot')
    if (dot !== null) dot.className = `dot ${peer.state}`
    const ban = row.querySelector('button')
    if (ban !== null) ban.hidden = !commands.includes('ban') || peer.state === 'banned'
  }
  const ids = new Set(peers.map((peer) => peer.id))
  for (const [id, row] of rows) {
    if (ids.has(id)) continue
    row.remove()
    rows.delete(id)
  }
}

/** @param {string} id @param {HTMLElement} body */
function newRow(id, body) {
  const row = document.createElement('tr')
  for (let i = 0; i < 9; i++) row.insertCell().className = i >= 2 && i <= 5 ? 'number' : ''
  const dot = document.createElement('span')
  dot.className = 'dot'
  const name = document.createElement('span')
  name.textContent = shortId(id)
  name.title = id
  row.cells[0]?.append(dot, name)
  const ban = document.createElement('button')
  ban.type = 'button'
  ban.className = 'small danger'
  ban.textContent = 'Ban'
  ban.setAttribute('aria-label', `Ban ${shortId(id)}`)
  ban.addEventListener('click', () => void press('ban', { peer: id }, `Ban ${id}? This peer will not mix what it sends any more.`))
  row.cells[8]?.append(ban)
  body.append(row)
  rows.set(id, row)
  return row
}

/** @param {string} name @param {Record<string, string>} [body] @param {string} [question] */
async function press(name, body, question) {
  const asked = name === 'stop' ? 'Stop this daemon? The others of the run go on.' : question
  try {
    if (asked !== undefined && !(await sure(asked))) return
    await command(name, body)
  } catch (error) {
    notice(message(error))
  }
}

/** @param {{ line: string, word: string, beyondThisMachine: boolean } | null} invitation */
function showInvitation(invitation) {
  if (invitation === null) {
    byId('invite').hidden = true
    return
  }
  byId('invite-line').textContent = invitation.line
  byId('invite-text').textContent = invitation.beyondThisMachine
    ? 'Paste this into a terminal of a machine that reaches this one:'
    : 'Paste this into another terminal of this machine; to let others in, start with --lan:'
  const code = /** @type {HTMLImageElement} */ (byId('invite-code'))
  code.src = '/api/invitation.svg'
  code.hidden = false
  byId('invite-copy').addEventListener('click', async () => {
    await navigator.clipboard.writeText(invitation.line)
    byId('invite-copy').textContent = 'Copied'
    setTimeout(() => {
      byId('invite-copy').textContent = 'Copy'
    }, 1_500)
  })
}

/** Nested values become paths: `algorithm.hyperparameters.gamma`. @param {string} id @param {unknown} value */
function showFacts(id, value) {
  const list = byId(id)
  list.replaceChildren()
  for (const [name, fact] of flat(value, '')) {
    const term = document.createElement('dt')
    term.textContent = name
    const what = document.createElement('dd')
    what.textContent = fact
    list.append(term, what)
  }
}

/** @param {unknown} value @param {string} path @returns {[string, string][]} */
function flat(value, path) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]]
  }
  const parts = Object.entries(value)
  if (parts.length === 0) return [[path, '–']]
  return parts.flatMap(([name, part]) => flat(part, path === '' ? name : `${path}.${name}`))
}

/** @param {string} text */
function notice(text) {
  const place = byId('notice')
  place.textContent = text
  place.hidden = false
}

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error)
}

await begin()
