/**
 * How the events of a daemon reach whoever watches: JSON lines for a program, a line that updates on a terminal, a plain line every 5 s
 * elsewhere. Log lines pass through here, too, so that they do not run into the live line.
 */
import type { PeerEvent, PeerStatus } from '../observe/events.ts'
import { Sparkline } from '../observe/sparkline.ts'
import { eventLine, liveLine, paint, partnerCount, plainLine, solvedLine } from '../observe/terminal.ts'
import type { Clock } from '../ports/clock.ts'
import type { Io } from './io.ts'
import { LIVE_PERIOD_MS, PLAIN_PERIOD_MS, SPARKLINE_WIDTH } from './limits.ts'

export interface Presenter {
  event(event: PeerEvent): void
  /** One line of the log, newline included. */
  log(line: string): void
  /** Leaves the terminal clean; nothing is printed afterwards. */
  close(): void
}

export interface TextOptions {
  /** Only what matters: solved, warnings, errors. */
  readonly quiet: boolean
  /** How the daemon stands; null while it does not run. */
  readonly status: () => PeerStatus | null
  /** What is said when the daemon is ready. */
  readonly greeting: (status: PeerStatus) => readonly string[]
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

export function textPresenter(io: Io, clock: Clock, options: TextOptions): Presenter {
  const { good, bad, dim } = paint(io.out.isTerminal && (io.env.NO_COLOR ?? '') === '')
  const curve = new Sparkline(SPARKLINE_WIDTH)
  let live = ''
  let cancel = () => {}

  /** Writes above the live line. */
  const print = (text: string, output = io.out) => {
    if (live !== '') io.out.write(CLEAR_LINE)
    output.write(text)
    if (live !== '') io.out.write(dim(live))
  }
  const showProgress = () => {
    const status = options.status()
    if (status !== null) {
      const standing = { ...status, peers: partnerCount(status) }
      if (io.out.isTerminal) {
        if (status.returnMean !== null) curve.add(status.returnMean)
        live = liveLine(standing, String(curve), io.out.columns - 1)
        io.out.write(CLEAR_LINE + dim(live))
      } else io.out.write(`${plainLine(standing)}\n`)
    }
    showProgressLater()
  }
  const showProgressLater = () => {
    cancel = clock.after(io.out.isTerminal ? LIVE_PERIOD_MS : PLAIN_PERIOD_MS, showProgress)
  }
  const greet = () => {
    const status = options.status()
    if (status !== null) for (const line of options.greeting(status)) print(`${line}\n`)
    showProgressLater()
  }
  /** The line stays where it is; nothing follows it. */
  const endProgress = () => {
    cancel()
    if (live !== '') io.out.write('\n')
    live = ''
  }

  return {
    event(event) {
      switch (event.event) {
        case 'solved':
          print(`${good(solvedLine(event, options.status()?.environment ?? '', options.afterwards))}\n`)
          break
        case 'warning':
        case 'error':
          print(`${bad(eventLine(event) ?? '')}\n`)
          break
        case 'listening':
          if (!options.quiet) greet()
          break
        default: {
          if (event.event === 'stopped') endProgress()
          const line = eventLine(event)
          if (line !== null && !options.quiet) print(`${line}\n`)
        }
      }
    },
    log: (line) => print(line, io.err),
    close: endProgress,
  }
}
