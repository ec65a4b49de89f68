import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tidings/local'

const IGNORED = ['**/node_modules/**', 'packages/*/dist/**', '.local/**', '.git/**']

/** The text of a file of the repository. */
export function read (path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The paths of all files that match, without those of other people. */
export function filesOf (patterns: string[]): string[] {
  return globSync(patterns, { cwd: root, exclude: IGNORED }).toSorted()
}

/** The first cells of the tables of a page, or of one section of it. */
export function firstCells (page: string, heading?: string): string[] {
  const from = heading === undefined ? 0 : page.indexOf(`\n${heading}\n`) + 1
  if (heading !== undefined && from === 0) throw new Error(`The page has no ${heading}`)
  const level = heading?.match(/^#+/)?.[0].length ?? 0
  const text = page.slice(from).split('\n')
  const end = heading === undefined
    ? -1
    : text.findIndex((line, i) => i > 0 && (line.match(/^(#+) /)?.[1]?.length ?? 9) <= level)
  const isHead = (line: number) => text[line + 1]?.startsWith('|---')
  return text
    .slice(0, end === -1 ? undefined : end)
    .flatMap((line, i) => isHead(i) ? [] : /^\| `([^`]+)`/.exec(line)?.[1] ?? [])
}
