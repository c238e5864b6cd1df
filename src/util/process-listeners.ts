/**
 * Loads a library that hangs listeners for uncaught errors on the process and takes them off again. Code compiled by Emscripten does so, and
 * throws whatever it catches once more, which turns a plain crash (exit code 1) into exit code 7.
 */
import process from 'node:process'

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const

export async function withoutNewErrorListeners<T>(load: () => Promise<T>): Promise<T> {
  const before = EVENTS.map((event) => new Set<unknown>(process.rawListeners(event)))
  try {
    return await load()
  } finally {
    for (const [index, event] of EVENTS.entries()) {
      for (const listener of process.rawListeners(event)) {
        if (!before[index]!.has(listener)) process.removeListener(event, listener as () => void)
      }
    }
  }
}
