import { exactText } from '../../lib/exact-json.ts'

/** A line of JSON as it is shown. */
export interface Line {
  /** Where it is: `$.items[3].name`. */
  path: string
  depth: number
  /** Of a property; array items have none. */
  key?: string
  /** A value that is a text of its own, or the brackets of a folded one. */
  text: string
  kind: 'string' | 'number' | 'word' | 'open' | 'close' | 'folded'
  /** Of `open` and `folded`: how many items it has. */
  count?: number
  hasComma: boolean
}

/** Objects and arrays beyond this are folded at first, so that a large value shows its shape. */
const OPEN_LINES = 200

/** How a value is written when it is shown or copied. */
export const jsonText = (value: unknown): string => JSON.stringify(value, undefined, 2) ?? 'undefined'

/**
 * The lines of a value of which the paths in `isOpen` are unfolded. Only what is unfolded is visited, so that the cost
 * is that of what can be seen.
 */
export function linesOf (value: unknown, isOpen: (path: string, depth: number) => boolean): Line[] {
  const lines: Line[] = []
  add(value, '$', 0, undefined, false)
  return lines

  function add (value: unknown, path: string, depth: number, key: string | undefined, hasComma: boolean) {
    const head = { path, depth, ...(key !== undefined && { key }) }
    const exact = exactText(value)
    if (typeof value !== 'object' || value === null || exact !== undefined) {
      lines.push({ ...head, text: exact ?? JSON.stringify(value) ?? 'undefined', kind: kindOf(value), hasComma })
      return
    }
    const isArray = Array.isArray(value)
    const [begin, end] = isArray ? '[]' : '{}'
    const keys = isArray ? undefined : Object.keys(value)
    const count = isArray ? value.length : keys?.length ?? 0
    if (count === 0) lines.push({ ...head, text: `${begin}${end}`, kind: 'word', hasComma })
    else if (!isOpen(path, depth)) lines.push({ ...head, text: `${begin}…${end}`, kind: 'folded', count, hasComma })
    else {
      lines.push({ ...head, text: begin as string, kind: 'open', count, hasComma: false })
      for (let index = 0; index < count; index++) {
        const name = keys?.[index]
        const item = name === undefined ? (value as unknown[])[index] : (value as Record<string, unknown>)[name]
        add(item, name === undefined ? `${path}[${index}]` : childPath(path, name), depth + 1, name, index < count - 1)
      }
      lines.push({ path: `${path}/end`, depth, text: end as string, kind: 'close', hasComma })
    }
  }
}

function kindOf (value: unknown): 'string' | 'number' | 'word' {
  if (typeof value === 'string') return 'string'
  return typeof value === 'number' || exactText(value) !== undefined ? 'number' : 'word'
}

/** How deep a value can be unfolded at first. */
export function openDepth (value: unknown): number {
  let depth = 0
  for (; depth < 12; depth++) {
    if (countLines(value, depth + 1, OPEN_LINES) > OPEN_LINES) break
  }
  return depth
}

/** Lines with `depth` levels unfolded; stops to count beyond `most`. */
function countLines (value: unknown, depth: number, most: number): number {
  if (typeof value !== 'object' || value === null || depth === 0) return 1
  const items = Object.values(value)
  if (items.length > most) return items.length
  let lines = 2
  for (const item of items) {
    lines += countLines(item, depth - 1, most - lines)
    if (lines > most) return lines
  }
  return lines
}

/** What stands before a value: its key, or its place in an array; undefined for the whole and for closing brackets. */
export function labelOf ({ key, path, kind }: Line): string | undefined {
  if (kind === 'close') return undefined
  return key === undefined ? /\[(\d+)\]$/.exec(path)?.[1] : JSON.stringify(key)
}

/** The path as it is copied, for a value that is called `root`: `returnvalue.items[3].name`. */
export const pathFrom = (root: string, { path }: Line): string => root + path.slice(1)

const childPath = (path: string, name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`
