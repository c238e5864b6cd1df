/**
 * Runs one daemon in the foreground, from start to exit: shows its events, leaves on a signal within 2 s and at once on a second one.
 * Returns the exit code; what goes wrong before the daemon could say it itself is thrown.
 */
import { isBridged } from '../envs/bridge/script.ts'
import { systemLog } from '../node/log.ts'
import type { PeerStatus } from '../observe/events.ts'
import { greeting } from '../observe/terminal.ts'
import type { DaemonOverrides, PeerDaemon } from '../peer/daemon.ts'
import type { PeerSettings, Until } from '../peer/settings.ts'
import type { Clock } from '../ports/clock.ts'
import { GrapevineError } from '../util/errors.ts'
import { DONE, exitCodeOf, FAILURE } from './exit.ts'
import type { Io } from './io.ts'
import { LEAVE_MS, SAME_SIGNAL_MS } from './limits.ts'
import { jsonPresenter, type Presenter, textPresenter } from './presenter.ts'
import { quoted } from './program-words.ts'

export interface RunOptions {
  readonly command: 'start' | 'join'
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly version: string
  /** The words that start this program when pasted into a shell. */
  readonly program: string
}

export type CreateDaemon = (settings: PeerSettings, overrides: DaemonOverrides) => PeerDaemon

export async function runDaemon(create: CreateDaemon, settings: PeerSettings, options: RunOptions, io: Io, clock: Clock): Promise<number> {
  const presenter = options.json
    ? jsonPresenter(io)
    : textPresenter(io, clock, {
        quiet: options.quiet,
        status: () => statusOf(daemon),
        greeting: (status) =>
          greeting({
            ...options,
            ...status,
            version: options.version,
            dataDir: daemon.dataDir ?? '',
            joinFlags: joinFlags(settings, status.environment),
            // A log keeps what a terminal forgets.
            dashboard: daemon.dashboard === null ? null : { ...daemon.dashboard, token: io.out.isTerminal ? daemon.dashboard.token : null },
          }),
        afterwards: afterwards(settings.until),
      })
  const daemon = create(settings, { log: logTo(presenter, options, io) })
  let errorShown = false
  const leaving = new AbortController()
  let firstSignalMs: number | null = null
  /** It hangs while it stops, and cannot say the last word itself. */
  const leaveBehind = () => {
    presenter.event({ event: 'stopped', reason: 'interrupted', steps: statusOf(daemon)?.steps ?? 0 })
    io.exit(DONE)
  }
  const releases = [
    () => presenter.close(),
    daemon.on((event) => {
      if (event.event === 'error') errorShown = true
      presenter.event(event)
    }),
    io.onLeave((why) => {
      if (firstSignalMs === null) {
        firstSignalMs = clock.now()
        releases.push(clock.after(LEAVE_MS, leaveBehind))
        leaving.abort()
      } else if (why !== 'pipe' && clock.now() - firstSignalMs > SAME_SIGNAL_MS) {
        io.exit(FAILURE)
      }
    }),
  ]
  try {
    return await live(daemon, leaving.signal)
  } catch (error) {
    if (!errorShown) throw error
    return exitCodeOf(error)
  } finally {
    for (const release of releases.reverse()) release()
  }
}

async function live(daemon: PeerDaemon, leaving: AbortSignal): Promise<number> {
  try {
    await daemon.start(leaving)
  } catch (error) {
    if (!leaving.aborted) throw error
    // For the event that says so.
    await daemon.stop('interrupted')
    return DONE
  }
  const leave = () => void daemon.stop('interrupted')
  if (leaving.aborted) leave()
  else leaving.addEventListener('abort', leave, { once: true })
  await daemon.finished
  return DONE
}

/** null: it does not run yet, or no longer. */
function statusOf(daemon: PeerDaemon): PeerStatus | null {
  try {
    return daemon.status()
  } catch (error) {
    if (error instanceof GrapevineError) return null
    throw error
  }
}

/** What a joiner needs beside the address: the module that the environment comes from, and leave to start Python. */
function joinFlags({ modules, networkModule }: PeerSettings, environment: string): readonly string[] {
  const network = networkModule === null ? [] : ['--network', quoted(networkModule.file)]
  return [...modules.flatMap(({ file }) => ['--env', quoted(file)]), ...network, ...(isBridged(environment) ? ['--allow-python'] : [])]
}

function logTo(presenter: Presenter, options: RunOptions, io: Io) {
  return systemLog({
    level: options.verbose ? 'debug' : options.quiet ? 'warn' : 'info',
    json: options.json || !io.err.isTerminal,
    write: (line) => presenter.log(line),
  })
}

function afterwards(until: Until): string {
  switch (until.kind) {
    case 'forever':
      return 'going on, Ctrl-C stops'
    case 'solved':
      return ''
    case 'steps':
      return `going on until ${until.steps.toLocaleString('en-US')} steps`
    case 'minutes':
      return `going on until ${until.minutes} minutes are over`
  }
}
