import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tidings/local'
import { chart } from './figures/chart.ts'
import type { Row } from './figures/row.ts'
import { asMarkdown, cells } from './figures/table.ts'
import type { Machine } from './machine.ts'

const BEGIN = '<!-- figures: written by npm run bench -- --docs -->'
const END = '<!-- /figures -->'

export interface Figures { measuredAt: string, seconds: number, machine: Machine, rows: Row[], broken: string[] }

/** Writes these figures into docs/performance.md, and their chart beside it. */
export function updatePage (figures: Figures): void {
  const page = join(root, 'docs', 'performance.md')
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), figures))
  writeFileSync(join(root, 'docs', 'performance.svg'), chart(figures.rows))
}

/** Replaces the part of the page between its two marks. */
export function withFigures (page: string, { measuredAt, seconds, machine, rows, broken }: Figures): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin === -1 || end < begin) throw new Error(`The page has no place for figures: ${BEGIN} … ${END}`)
  const promises = broken.length === 0
    ? 'Tidings lost no event, doubled none and reordered none.'
    : broken.map(promise => `- **${promise}**`).join('\n')
  const figures = [
    `Measured ${measuredAt.slice(0, 10)} at commit ${machine.commit} in ${seconds} s on ${machine.text}.`,
    asMarkdown(cells(rows)),
    promises
  ].join('\n\n')
  return `${page.slice(0, begin)}${BEGIN}\n\n${figures}\n\n${page.slice(end)}`
}
