import { diffLines } from 'diff'

/** A line of two texts beside each other; undefined where the other one has a line of its own. */
export interface BodyLine { left: string | undefined, right: string | undefined }

export interface HeaderPair { name: string, values: [string | undefined, string | undefined] }

type Headers = Record<string, string> | null

/** All headers of both, by name. */
export function alignHeaders (left: Headers, right: Headers): HeaderPair[] {
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])].toSorted()
  return names.map(name => ({ name, values: [left?.[name], right?.[name]] }))
}

/** Two bodies line by line; JSON is indented first, so that a change is a line and not the whole. */
export function alignBodies (left: string | null, right: string | null): BodyLine[] {
  const lines: BodyLine[] = []
  let removed: string[] = []
  let added: string[] = []
  /** What was removed and added at one place stands beside each other. */
  const flush = () => {
    for (let index = 0; index < Math.max(removed.length, added.length); index++) {
      lines.push({ left: removed[index], right: added[index] })
    }
    removed = []
    added = []
  }
  for (const { value, added: isAdded, removed: isRemoved } of diffLines(readable(left), readable(right))) {
    const texts = value.replace(/\n$/, '').split('\n')
    if (isRemoved) removed.push(...texts)
    else if (isAdded) added.push(...texts)
    else {
      flush()
      lines.push(...texts.map(text => ({ left: text, right: text })))
    }
  }
  flush()
  return lines
}

/** With a line break at the end, so that the last line equals one that is not the last. */
function readable (body: string | null): string {
  if (body === null || body === '') return ''
  try {
    return `${JSON.stringify(JSON.parse(body), undefined, 2)}\n`
  } catch {
    return `${body.replaceAll('\r\n', '\n')}\n` // no JSON, or cut after 16 KiB
  }
}
