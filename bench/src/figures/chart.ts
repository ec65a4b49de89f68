import { figure } from './format.ts'
import { ratios } from './ratio.ts'
import type { Spread } from './ratio.ts'
import { isMet } from './row.ts'
import type { Row } from './row.ts'

const WIDTH = 960
const LABELS = 430
const VALUES = 70
const LINE = 26
const TOP = 56
const BAR = 12
const COLORS = { met: '#2a9d8f', unmet: '#e76f51', neutral: '#5b7a9d', line: '#9aa5b1', text: '#24292f' }
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]

interface Bar { label: string, ratio: Spread, goal: number | undefined, color: string }

/** Draws each ratio to a peer or a limit as a bar from 1 on a logarithmic scale, with its min–max and its goal. */
export function chart (rows: Row[]): string {
  const bars = rows.flatMap(barsOf)
  const values = bars.flatMap(({ ratio, goal }) => [ratio.min, ratio.max, goal ?? 1])
  const low = Math.min(0.5, ...values) / 1.1
  const high = Math.max(2, ...values) * 1.1
  const x = (value: number) => LABELS + (WIDTH - LABELS - VALUES) * Math.log(value / low) / Math.log(high / low)
  const height = TOP + bars.length * LINE + 16

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `font-family="system-ui, sans-serif" font-size="12" fill="${COLORS.text}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    '<text x="12" y="22" font-size="14" font-weight="600">',
    'Tidings ÷ the other: median, min–max (line), goal (tick)</text>',
    ...TICKS.filter(tick => tick >= low && tick <= high).map(tick => gridLine(x(tick), tick, height)),
    ...bars.map((bar, index) => barShape(bar, { x, y: TOP + index * LINE })),
    '</svg>',
    ''
  ].join('\n')
}

function barsOf (row: Row): Bar[] {
  return (['peer', 'limit'] as const).flatMap(of => {
    const other = row[of]
    if (other === undefined) return []
    const ratio = ratios(row.ours, other.values)
    if (![ratio.min, ratio.max].every(value => Number.isFinite(value) && value > 0)) return []
    const isJudged = row.goal?.of === of
    return [{
      label: `${row.what} ÷ ${other.name}`,
      ratio,
      goal: row.goal === undefined || !isJudged
        ? undefined
        : 'atLeast' in row.goal ? row.goal.atLeast : row.goal.atMost,
      color: !isJudged ? COLORS.neutral : isMet(row) === true ? COLORS.met : COLORS.unmet
    }]
  })
}

function gridLine (x: number, tick: number, height: number): string {
  const width = tick === 1 ? 1.5 : 0.5
  const at = round(x)
  return `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 12}" stroke="${COLORS.line}" stroke-width="${width}"/>` +
    `<text x="${round(x)}" y="${TOP - 14}" text-anchor="middle" fill="${COLORS.line}">${tick}×</text>`
}

function barShape ({ label, ratio, goal, color }: Bar, { x, y }: { x: (value: number) => number, y: number }): string {
  const [from, to] = [x(1), x(ratio.median)].sort((a, b) => a - b) as [number, number]
  const middle = y + BAR / 2
  const mark = goal === undefined
    ? ''
    : `<line x1="${round(x(goal))}" x2="${round(x(goal))}" y1="${y - 4}" y2="${y + BAR + 4}" ` +
      `stroke="${COLORS.text}" stroke-width="2"/>`
  return `<text x="12" y="${middle + 4}">${escaped(label)}</text>` +
    `<rect x="${round(from)}" y="${y}" width="${round(Math.max(1, to - from))}" height="${BAR}" fill="${color}"/>` +
    `<line x1="${round(x(ratio.min))}" x2="${round(x(ratio.max))}" y1="${middle}" y2="${middle}" ` +
    `stroke="${COLORS.text}"/>` +
    mark +
    `<text x="${WIDTH - 12}" y="${middle + 4}" text-anchor="end">${figure(ratio.median)}×</text>`
}

const round = (value: number): number => Math.round(value * 10) / 10

function escaped (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
