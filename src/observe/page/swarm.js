/**
 * The swarm as a picture: peers on a ring, this one in the middle, a line for each connection, and a spark for each mix from its author to the
 * peer that mixed it. It draws only while something moves or has changed.
 */
import { byId, colour, shortId } from './format.js'

/** @typedef {import('../http/recorder.ts').Standing} Standing */
/** @typedef {{ x: number, y: number, state: string, id: string }} Node */

const SPARK_MS = 700
/** Names are written beside the peers while there is room for them. */
const MOST_NAMES = 18
const MOST_SPARKS = 200

const canvas = /** @type {HTMLCanvasElement} */ (byId('swarm'))

export class Swarm {
  /** @type {Standing | null} */
  #standing = null
  /** @type {Map<string, Node>} */
  #nodes = new Map()
  /** @type {{ from: string, to: string, atMs: number }[]} */
  #sparks = []
  #frame = 0

  constructor() {
    new ResizeObserver(() => this.#arrange()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#wake())
  }

  /** @param {Standing} standing */
  show(standing) {
    this.#standing = standing
    this.#arrange()
  }

  /** @param {string} author @param {string} [to] */
  mixed(author, to = this.#standing?.peer ?? '') {
    if (document.hidden) return
    this.#sparks.push({ from: author, to, atMs: performance.now() })
    if (this.#sparks.length > MOST_SPARKS) this.#sparks.shift()
    this.#wake()
  }

  #arrange() {
    const standing = this.#standing
    if (standing === null) return
    const { clientWidth: width, clientHeight: height } = canvas
    const scale = devicePixelRatio
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale)
      canvas.height = Math.round(height * scale)
    }
    const others = [...standing.peers].sort((a, b) => (a.id < b.id ? -1 : 1))
    const [rx, ry] = [Math.max(40, width / 2 - 54), Math.max(40, height / 2 - 26)]
    this.#nodes = new Map([[standing.peer, { x: width / 2, y: height / 2, state: 'self', id: standing.peer }]])
    for (const [i, peer] of others.entries()) {
      const angle = (i / others.length) * 2 * Math.PI - Math.PI / 2
      this.#nodes.set(peer.id, {
        x: width / 2 + rx * Math.cos(angle),
        y: height / 2 + ry * Math.sin(angle),
        state: peer.state,
        id: peer.id,
      })
    }
    this.#wake()
  }

  #wake() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw() {
    this.#frame = 0
    const pen = canvas.getContext('2d')
    if (pen === null || this.#standing === null) return
    const nowMs = performance.now()
    const palette = {
      self: colour('--accent'),
      alive: colour('--good'),
      silent: colour('--warn'),
      connecting: colour('--curve-4'),
      banned: colour('--bad'),
      left: colour('--gone'),
      line: colour('--line'),
      text: colour('--muted'),
      card: colour('--card'),
    }
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight)
    pen.strokeStyle = palette.line
    pen.lineWidth = 1.5
    pen.beginPath()
    for (const { a, b } of this.#standing.links) {
      const [from, to] = [this.#nodes.get(a), this.#nodes.get(b)]
      if (from === undefined || to === undefined) continue
      pen.moveTo(from.x, from.y)
      pen.lineTo(to.x, to.y)
    }
    pen.stroke()
    this.#sparks = this.#sparks.filter(({ atMs }) => nowMs - atMs < SPARK_MS)
    pen.fillStyle = palette.self
    for (const { from, to, atMs } of this.#sparks) {
      const [start, end] = [this.#nodes.get(from), this.#nodes.get(to)]
      if (start === undefined || end === undefined) continue
      const along = (nowMs - atMs) / SPARK_MS
      pen.globalAlpha = 1 - 0.5 * along
      pen.beginPath()
      pen.arc(start.x + (end.x - start.x) * along, start.y + (end.y - start.y) * along, 3.5, 0, 7)
      pen.fill()
    }
    pen.globalAlpha = 1
    const names = this.#nodes.size <= MOST_NAMES
    const radius = this.#nodes.size <= MOST_NAMES ? 9 : 5.5
    pen.font = '11px ui-monospace, Menlo, Consolas, monospace'
    pen.textAlign = 'center'
    for (const { x, y, state, id } of this.#nodes.values()) {
      const own = state === 'self'
      pen.beginPath()
      pen.arc(x, y, own ? 13 : radius, 0, 7)
      pen.fillStyle = palette[/** @type {keyof typeof palette} */ (state)] ?? palette.left
      pen.fill()
      pen.strokeStyle = palette.card
      pen.lineWidth = 2
      pen.stroke()
      if (!names) continue
      pen.fillStyle = palette.text
      pen.fillText(own ? 'this peer' : shortId(id), x, y + (own ? 27 : 22))
    }
    if (this.#sparks.length > 0) this.#wake()
  }
}
