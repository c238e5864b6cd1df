/**
 * The process as the commands see it, so that tests can put another in its place. Writing never waits: what a slow reader does not take is
 * kept up to a bound and then dropped and counted; a reader that is gone is told of once.
 */
import { MAX_UNREAD_BYTES } from './limits.ts'

export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Width of the terminal, as it is now. */
  readonly columns: number
}

export interface Io {
  readonly out: Output
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Lines dropped because nobody took them from `out`. */
  readonly droppedWrites: () => number
  /** SIGINT, SIGTERM, and `pipe` when the reader of `out` is gone. The returned function unsubscribes. */
  onLeave(listener: (why: 'SIGINT' | 'SIGTERM' | 'pipe') => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** `takeOver` is called when signals get a listener for the first time: whoever dealt with them until then need not any more. */
export function processIo(takeOver: () => void): Io {
  let dropped = 0
  const output = (stream: NodeJS.WriteStream): Output => ({
    write(text) {
      if (stream.destroyed || stream.errored !== null) return
      if (stream.writableLength <= MAX_UNREAD_BYTES) stream.write(text)
      else if (stream === process.stdout) dropped++
    },
    isTerminal: stream.isTTY === true && process.env.TERM !== 'dumb',
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.columns || 80
    },
  })
  // Without a listener a closed pipe is an uncaught exception.
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', () => undefined)
  return {
    out: output(process.stdout),
    err: output(process.stderr),
    env: process.env,
    droppedWrites: () => dropped,
    onLeave(listener) {
      const interrupt = () => listener('SIGINT')
      const terminate = () => listener('SIGTERM')
      const closed = () => listener('pipe')
      process.on('SIGINT', interrupt)
      process.on('SIGTERM', terminate)
      process.stdout.on('error', closed)
      takeOver()
      return () => {
        process.off('SIGINT', interrupt)
        process.off('SIGTERM', terminate)
        process.stdout.off('error', closed)
      }
    },
    exit: (code) => process.exit(code),
  }
}
