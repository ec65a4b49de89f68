import { figure, goalText, times } from './format.ts'
import { median } from './percentile.ts'
import { ratios, spread } from './ratio.ts'
import { isMet } from './row.ts'
import type { Row, Series } from './row.ts'

const HEAD = [
  'scenario',
  'what',
  'Tidings',
  'peer',
  'limit',
  '÷ peer (min–max)',
  '÷ limit (min–max)',
  'goal',
  'met',
  'busiest load'
]
const VERDICT = new Map([[true, 'yes'], [false, 'NO']])

/** The figures as cells, with the head first: medians, and ratios by pairs. */
export function cells (rows: Row[]): string[][] {
  return [HEAD, ...rows.map(cellsOf)]
}

/** For a terminal: each column is as wide as its widest cell. */
export function asText (table: string[][]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map(row => (row[column] ?? '').length)))
  return table.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

export function asMarkdown ([head = [], ...rows]: string[][]): string {
  const line = (row: string[]) => `| ${row.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [head, head.map(() => '---'), ...rows].map(line).join('\n')
}

function cellsOf (row: Row): string[] {
  const { scenario, what, unit, ours, peer, limit, goal, load } = row
  const own = spread(ours)
  const verdict = isMet(row)
  return [
    scenario,
    what,
    `${figure(own.median)} ${unit} (${figure(own.min)}–${figure(own.max)})`,
    seriesText(peer, unit),
    seriesText(limit, unit),
    peer === undefined ? '' : ratioText(ours, peer.values),
    limit === undefined ? '' : ratioText(ours, limit.values),
    goal === undefined ? '' : goalText(goal),
    verdict === undefined ? '' : VERDICT.get(verdict) ?? '',
    load === undefined ? '' : `${load.name} ${Math.round(load.percent)} %`
  ]
}

function seriesText (series: Series | undefined, unit: string): string {
  return series === undefined ? '' : `${series.name}: ${figure(median(series.values))} ${unit}`
}

/** A ratio to zero is left out. */
function ratioText (ours: number[], theirs: number[]): string {
  return theirs.some(value => value === 0) ? '' : times(ratios(ours, theirs))
}
