/** Learning curves as an SVG: a thin line for each seed, the interquartile mean over them with its 95 % interval. */
import type { Interval } from './statistics.ts'

export interface CurvePoint extends Interval {
  readonly steps: number
}

export interface CurvesPicture {
  readonly title: string
  readonly seeds: readonly (readonly (readonly [number, number])[])[]
  readonly mean: readonly CurvePoint[]
  /** A dashed line where the task counts as solved; null: none. */
  readonly threshold: number | null
}

const WIDTH = 720
const HEIGHT = 420
const MARGIN = { left: 64, right: 20, top: 36, bottom: 44 }
const TICKS = 5

export function drawCurves({ title, seeds, mean, threshold }: CurvesPicture): string {
  const finite = seeds.flat().filter(([, value]) => Number.isFinite(value))
  const values = [...finite.map(([, value]) => value), ...(threshold === null ? [] : [threshold])]
  const xTop = Math.max(1, ...finite.map(([steps]) => steps))
  const [low, high] = padded(Math.min(...values), Math.max(...values))
  const x = (steps: number) => MARGIN.left + (steps / xTop) * (WIDTH - MARGIN.left - MARGIN.right)
  const y = (value: number) => HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom)
  const point = (steps: number, value: number) => `${x(steps).toFixed(1)},${y(value).toFixed(1)}`
  const line = (points: readonly (readonly [number, number])[], style: string) =>
    `<polyline fill="none" ${style} points="${points
      .filter(([, value]) => Number.isFinite(value))
      .map(([steps, value]) => point(steps, value))
      .join(' ')}"/>`
  const sound = mean.filter(({ iqm }) => Number.isFinite(iqm))
  const band = [
    ...sound.map(({ steps, high: top }) => point(steps, top)),
    ...sound.toReversed().map(({ steps, low: end }) => point(steps, end)),
  ]
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${MARGIN.left}" y="22" font-size="14">${escaped(title)}</text>`,
    ...ticks.map((share) => {
      const value = low + share * (high - low)
      return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#ddd"/><text x="${MARGIN.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${short(value)}</text>`
    }),
    ...ticks.map(
      (share) => `<text x="${x(share * xTop).toFixed(1)}" y="${HEIGHT - 24}" text-anchor="middle">${short(share * xTop)}</text>`,
    ),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">environment steps</text>`,
    threshold === null
      ? ''
      : line(
          [
            [0, threshold],
            [xTop, threshold],
          ],
          'stroke="#999" stroke-dasharray="6 4"',
        ),
    `<polygon fill="#7b3fa0" fill-opacity="0.18" points="${band.join(' ')}"/>`,
    ...seeds.map((curve) => line(curve, 'stroke="#7b3fa0" stroke-opacity="0.3"')),
    line(
      sound.map(({ steps, iqm }) => [steps, iqm] as const),
      'stroke="#7b3fa0" stroke-width="2.5"',
    ),
    '</svg>',
    '',
  ].join('\n')
}

/** The range with a twentieth more at both ends; one around the value where there is only one. */
function padded(low: number, high: number): readonly [number, number] {
  const room = high > low ? (high - low) / 20 : 1
  return [low - room, high + room]
}

function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`
  return String(Number(value.toPrecision(3)))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
