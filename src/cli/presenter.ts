/**
 * How the events of a daemon reach whoever watches: JSON lines for a program, a line that updates on a terminal, a plain line every 5 s
 * elsewhere. Log lines pass through here, too, so that they do not run into the live line.
 */
import type { PeerEvent } from '../observe/events.ts'
import { Sparkline } from '../observe/sparkline.ts'
import { eventLine, liveLine, paint, plainLine, solvedLine } from '../observe/terminal.ts'
import type { Clock } from '../ports/clock.ts'
import type { Io } from './io.ts'
import { PLAIN_PERIOD_MS, SPARKLINE_WIDTH } from './limits.ts'

export interface Presenter {
  event(event: PeerEvent): void
  /** One line of the log, newline included. */
  log(line: string): void
  /** Leaves the terminal clean; nothing is printed afterwards. */
  close(): void
}

export interface PresenterOptions {
  /** Only what matters: solved, warnings, errors. */
  readonly quiet: boolean
  /** What is said when the daemon is ready. */
  readonly greeting: () => readonly string[]
  readonly environment: () => string
  /** What follows `solved`. */
  readonly afterwards: string
}

/** Each event as one line of JSON on stdout. What a slow reader made us drop is told once it reads again. */
export function jsonPresenter(io: Io): Presenter {
  let told = 0
  const print = (event: PeerEvent) => io.out.write(`${JSON.stringify(event)}\n`)
  return {
    event(event) {
      print(event)
      const dropped = io.droppedWrites()
      if (dropped === told) return
      const message = `${dropped - told} lines were dropped because nobody read them.`
      print({ event: 'warning', code: 'lines_dropped', message })
      // The warning itself is dropped while the reader still does not read.
      if (io.droppedWrites() === dropped) told = dropped
    },
    log: (line) => io.err.write(line),
    close: () => undefined,
  }
}

const CLEAR_LINE = '\r\u001b[2K'

export function textPresenter(io: Io, clock: Clock, options: PresenterOptions): Presenter {
  const { good, bad, dim } = paint(io.out.isTerminal && (io.env.NO_COLOR ?? '') === '')
  const curve = new Sparkline(SPARKLINE_WIDTH)
  const updates = io.out.isTerminal && !options.quiet
  let live = ''
  let latest: Extract<PeerEvent, { event: 'stats' }> | null = null
  let cancel = () => {}

  /** Writes above the live line. */
  const print = (text: string, write = io.out.write) => {
    if (live !== '') io.out.write(CLEAR_LINE)
    write(text)
    if (live !== '') io.out.write(dim(live))
  }
  const printLater = () => {
    cancel = clock.after(PLAIN_PERIOD_MS, () => {
      if (latest !== null) io.out.write(`${plainLine(latest)}\n`)
      latest = null
      printLater()
    })
  }
  if (!io.out.isTerminal && !options.quiet) printLater()

  const important = (event: PeerEvent): string | null => {
    if (event.event === 'solved') return good(solvedLine(event, options.environment(), options.afterwards))
    if (event.event === 'warning' || event.event === 'error') return bad(eventLine(event) ?? '')
    return null
  }
  return {
    event(event) {
      if (event.event === 'stats') {
        latest = event
        if (event.returnMean !== null) curve.add(event.returnMean)
        if (!updates) return
        live = liveLine(event, String(curve), io.out.columns - 1)
        io.out.write(CLEAR_LINE + dim(live))
        return
      }
      const line = important(event)
      if (line !== null) print(`${line}\n`)
      else if (options.quiet) return
      else if (event.event === 'listening') for (const text of options.greeting()) print(`${text}\n`)
      else {
        const text = eventLine(event)
        if (text !== null) print(`${text}\n`)
      }
    },
    log: (line) => print(line, io.err.write),
    close() {
      cancel()
      if (live !== '') io.out.write('\n')
      live = ''
    },
  }
}
