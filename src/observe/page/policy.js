/**
 * The stage: the environment as the current policy plays it, with what it thinks. Plays only while it can be seen, because the daemon
 * computes it for the watcher.
 */
import { follow } from './connection.js'
import { byId, colour, compact, short } from './format.js'

/** @typedef {import('../../ports/play.ts').PlayFrame} PlayFrame */
/** @typedef {import('../../envs/picture.ts').Picture} Picture */

const canvas = /** @type {HTMLCanvasElement} */ (byId('policy'))
const note = byId('policy-note')
const bars = byId('policy-actions')
/** The label for screen readers changes this seldom, or they would never be silent. */
const LABEL_MS = 5_000

export class Policy {
  /** @type {(() => void) | null} */
  #close = null
  #seen = true
  /** @type {PlayFrame | null} */
  #frame = null
  #due = 0
  #labelledMs = 0
  /** @type {{ row: HTMLElement, bar: HTMLElement, value: HTMLElement }[]} */
  #rows = []

  /** @param {boolean} plays whether the daemon can show it */
  start(plays) {
    if (!plays) return this.#say('This daemon cannot show its policy.')
    this.#say('Waiting for the first step…')
    document.addEventListener('visibilitychange', () => this.#watch())
    new IntersectionObserver(([entry]) => {
      this.#seen = entry?.isIntersecting ?? true
      this.#watch()
    }).observe(canvas)
    new ResizeObserver(() => this.#wake()).observe(canvas)
    this.#watch()
  }

  #watch() {
    const wanted = this.#seen && !document.hidden
    if (wanted && this.#close === null) {
      this.#close = follow('/api/policy', {
        frame: (frame) => this.#take(frame),
        failed: ({ message }) => this.#say(message),
      })
    } else if (!wanted) {
      this.#close?.()
      this.#close = null
    }
  }

  /** @param {string} text */
  #say(text) {
    note.textContent = text
    note.hidden = false
  }

  /** @param {PlayFrame} frame */
  #take(frame) {
    this.#frame = frame
    if (frame.picture === null) this.#say('This environment draws no picture; what the policy thinks is below.')
    else note.hidden = true
    this.#wake()
  }

  #wake() {
    if (this.#due === 0) this.#due = requestAnimationFrame(() => this.#draw())
  }

  #draw() {
    this.#due = 0
    const frame = this.#frame
    if (frame === null) return
    if (frame.picture !== null) paint(/** @type {Picture} */ (frame.picture))
    const value = frame.value === null ? '' : `, value estimate ${short(frame.value)}`
    const line = `return ${short(frame.episodeReturn)} after ${frame.step} steps${value}, version ${compact(frame.version)}`
    byId('policy-line').textContent = line
    if (performance.now() - this.#labelledMs > LABEL_MS) {
      this.#labelledMs = performance.now()
      canvas.setAttribute('aria-label', `The current policy plays: ${line}`)
    }
    this.#showThoughts(frame)
  }

  /** @param {PlayFrame} frame */
  #showThoughts(frame) {
    const { probabilities, gaussian, actionValues, action } = frame
    const chosen = typeof action === 'number' ? action : -1
    if (probabilities !== null) {
      this.#fit(probabilities.length, 'action')
      for (const [i, share] of probabilities.entries()) this.#set(i, 0, share, share.toFixed(3), i === chosen)
    } else if (actionValues !== null) {
      this.#fit(actionValues.length, 'action')
      const low = Math.min(...actionValues)
      const span = Math.max(...actionValues) - low || 1
      for (const [i, q] of actionValues.entries()) this.#set(i, 0, 0.05 + 0.95 * ((q - low) / span), short(q), i === chosen)
    } else if (gaussian !== null && typeof action !== 'number') {
      this.#fit(gaussian.mean.length, 'torque')
      // The scale holds three deviations and what was drawn.
      for (const [i, mean] of gaussian.mean.entries()) {
        const deviation = gaussian.deviation[i] ?? 0
        const reach = Math.max(1, Math.abs(mean) + 3 * deviation, Math.abs(action[i] ?? 0))
        const from = (mean - deviation + reach) / (2 * reach)
        this.#set(i, from, deviation / reach, `${short(mean)} ± ${short(deviation)}`, false)
      }
    }
  }

  /** @param {number} count @param {string} word */
  #fit(count, word) {
    if (this.#rows.length === count) return
    this.#rows = Array.from({ length: count }, (_, i) => {
      const row = document.createElement('div')
      row.className = 'action'
      const name = document.createElement('span')
      name.textContent = word === 'action' ? `action ${i}` : `value ${i}`
      const track = document.createElement('span')
      track.className = 'bar'
      const bar = document.createElement('i')
      if (word !== 'action') bar.className = 'range'
      track.append(bar)
      const value = document.createElement('span')
      row.append(name, track, value)
      return { row, bar, value }
    })
    bars.replaceChildren(...this.#rows.map(({ row }) => row))
  }

  /** @param {number} i @param {number} from @param {number} share @param {string} text @param {boolean} chosen */
  #set(i, from, share, text, chosen) {
    const row = this.#rows[i]
    if (row === undefined) return
    row.bar.style.setProperty('--from', `${(100 * from).toFixed(1)}%`)
    row.bar.style.setProperty('--share', `${(100 * Math.min(1, share)).toFixed(1)}%`)
    row.value.textContent = text
    row.row.classList.toggle('chosen', chosen)
  }
}

/** The whole picture, undistorted, in the middle of the canvas. @param {Picture} picture */
function paint(picture) {
  const scale = devicePixelRatio
  const { clientWidth: width, clientHeight: height } = canvas
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  const pen = canvas.getContext('2d')
  if (pen === null) return
  const unit = Math.min(width / (picture.right - picture.left), height / (picture.top - picture.bottom))
  const hex = (/** @type {number} */ value) => `#${value.toString(16).padStart(6, '0')}`
  pen.setTransform(scale, 0, 0, scale, 0, 0)
  pen.fillStyle = colour('--ground')
  pen.fillRect(0, 0, width, height)
  const [w, h] = [(picture.right - picture.left) * unit, (picture.top - picture.bottom) * unit]
  const [left, top] = [(width - w) / 2, (height - h) / 2]
  pen.save()
  pen.beginPath()
  pen.rect(left, top, w, h)
  pen.clip()
  pen.fillStyle = hex(picture.background)
  pen.fillRect(left, top, w, h)
  const x = (/** @type {number} */ value) => left + (value - picture.left) * unit
  const y = (/** @type {number} */ value) => top + (picture.top - value) * unit
  for (const shape of picture.shapes) {
    pen.beginPath()
    if (shape.kind === 'circle') pen.arc(x(shape.x), y(shape.y), shape.radius * unit, 0, 7)
    else for (const [px, py] of shape.points) pen.lineTo(x(px), y(py))
    if (shape.kind === 'line') {
      pen.strokeStyle = hex(shape.colour)
      pen.lineWidth = Math.max(1, shape.width * unit)
      pen.lineJoin = 'round'
      pen.stroke()
    } else {
      pen.fillStyle = hex(shape.colour)
      pen.fill()
    }
  }
  pen.restore()
}
