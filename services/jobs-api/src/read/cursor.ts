/**
 * The end of a page: the creation time and number of its last row, and the number of the next page. Opaque to clients;
 * the version allows later releases to read older cursors.
 */
export type Cursor = { createdMs: number, n: number, page: number }

const VERSION = 1

export function formatCursor ({ createdMs, n, page }: Cursor): string {
  return Buffer.from(JSON.stringify([VERSION, createdMs, n, page])).toString('base64url')
}

/** Undefined if the text is not a cursor. */
export function parseCursor (text: string): Cursor | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 4 || !parts.every(isCount)) return undefined
    const [version, createdMs, n, page] = parts as [number, number, number, number]
    return version === VERSION ? { createdMs, n, page } : undefined
  } catch {
    return undefined
  }
}

function isCount (part: unknown): boolean {
  return Number.isSafeInteger(part) && (part as number) >= 0
}
