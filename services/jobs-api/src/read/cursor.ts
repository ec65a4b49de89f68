import type { JobOrder } from './job-filter.ts'
import type { SortKey } from './job-ranges.ts'

/**
 * The end of a page: the key and number of its last row, the number of the next page, and the order of the list. Opaque
 * to clients; the version allows later releases to read older cursors.
 */
export type Cursor = SortKey & { page: number, order: JobOrder }

const VERSION = 1
const ORDERS: JobOrder[] = ['created', 'finished', 'arrival']

/** The order of creation is left out, as in the cursors of earlier releases, which read this one as well. */
export function formatCursor ({ key, n, page, order }: Cursor): string {
  const parts = [VERSION, key, n, page, ...(order === 'created' ? [] : [order])]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Undefined if the text is not a cursor. */
export function parseCursor (text: string): Cursor | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parts) || parts.length < 4 || parts.length > 5) return undefined
    const [version, key, n, page, order = 'created'] = parts as [number, number, number, number, JobOrder?]
    const isValid = version === VERSION && [key, n, page].every(isCount) && ORDERS.includes(order)
    return isValid ? { key, n, page, order } : undefined
  } catch {
    return undefined
  }
}

function isCount (part: unknown): boolean {
  return Number.isSafeInteger(part) && (part as number) >= 0
}
