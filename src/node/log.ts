/**
 * The Log port over pino. A person gets one short line per message; a machine gets pino's JSON with an ISO time.
 * The caller may take the lines from stderr elsewhere, so that a terminal can keep its live line below them.
 */
import { pino } from 'pino'
import type { Log } from '../ports/log.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  /** The least important level that is shown. */
  readonly level: LogLevel
  /** For a machine: pino's JSON; else text for a person. */
  readonly json: boolean
  /** Takes one line at a time, newline included; stderr when absent. */
  readonly write?: (line: string) => void
}

export function systemLog(options: LogOptions): Log {
  const out = options.write ?? ((line: string) => process.stderr.write(line))
  const write = options.json ? out : (line: string) => out(textLine(line))
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  )
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  }
}

/** `warning: message (key value, key value)`; the level is named only where it asks for attention. */
function textLine(json: string): string {
  const { level, time: _, msg, ...fields } = JSON.parse(json) as { level: string; time: string; msg: string } & Record<string, unknown>
  const label = level === 'warn' ? 'warning: ' : level === 'info' ? '' : `${level}: `
  const details = Object.entries(fields).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${singleLine(label + msg + (details.length > 0 ? ` (${details.join(', ')})` : ''))}\n`
}

/** Control characters can come from other peers; on a terminal they could move the cursor or forge lines. */
function singleLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
