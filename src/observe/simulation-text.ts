/** A simulation as a person reads it in a terminal: the line that tells how far it is, and the table at the end. */
import { compact, count, distance, duration, mean, plural } from './format.ts'

/** What is told of a simulation: one point after each round, the start first. */
export interface SimulationCurves {
  readonly virtualSeconds: readonly number[]
  readonly consensusDistance: readonly number[]
  readonly returnMean: readonly (number | null)[]
  readonly bytes: readonly number[]
  readonly steps: readonly number[]
}

export interface SimulationProgress {
  readonly round: number
  readonly rounds: number
  readonly curves: SimulationCurves
  readonly elapsedMs: number
  readonly columns: number
  /** With a bar, for a terminal. */
  readonly bar: boolean
}

const BAR_WIDTH = 20

export function simulationLine({ round, rounds, curves, elapsedMs, columns, bar }: SimulationProgress): string {
  const filled = Math.round((BAR_WIDTH * round) / rounds)
  const leftSeconds = round === 0 ? null : ((elapsedMs / round) * (rounds - round)) / 1_000
  const parts = [
    ...(bar ? [`${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`] : []),
    `round ${count(round)} of ${count(rounds)}`,
    ...returnPart(curves),
    `distance ${distance(last(curves.consensusDistance))}`,
    ...(leftSeconds === null ? [] : [`${duration(leftSeconds)} left`]),
  ]
  const line = parts.join('  ')
  return bar ? line.slice(0, Math.max(0, columns - 1)) : line
}

export interface SimulationOutcome {
  readonly nodes: number
  readonly rounds: number
  readonly seed: number
  readonly meanDrift: number | null
  readonly returns: readonly (number | null)[]
  readonly digest: string
}

export function simulationTable(summary: SimulationOutcome, curves: SimulationCurves, elapsedMs: number): string[] {
  const seconds = last(curves.virtualSeconds)
  const returns = summary.returns.filter((value) => value !== null)
  const rows: [string, string][] = [
    ['swarm', `${plural(summary.nodes, 'peer')}, ${plural(summary.rounds, 'round')}, seed ${summary.seed}`],
    ['time', `${duration(seconds)} of virtual time in ${duration(elapsedMs / 1_000)}`],
    ...(last(curves.steps) === 0 ? [] : [['steps', `${count(last(curves.steps))} in all`] satisfies [string, string]]),
    ...(returns.length === 0
      ? []
      : [
          [
            'mean return',
            `${mean(last(curves.returnMean))} (peers ${mean(Math.min(...returns))} to ${mean(Math.max(...returns))})`,
          ] satisfies [string, string],
        ]),
    ['distance', `${distance(curves.consensusDistance[0]!)} at the start, ${distance(last(curves.consensusDistance))} at the end`],
    ...(summary.meanDrift === null ? [] : [['mean drift', distance(summary.meanDrift)] satisfies [string, string]]),
    ['sent', `${compact(last(curves.bytes))} bytes`],
    ['digest', summary.digest],
  ]
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`)
}

function returnPart(curves: SimulationCurves): string[] {
  const value = last(curves.returnMean)
  return value === null ? [] : [`return ${mean(value)}`]
}

function last<T>(values: readonly T[]): T {
  return values.at(-1)!
}
