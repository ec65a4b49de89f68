/**
 * Where a page ends: the row's creation time and number, and which page comes
 * next. Opaque to clients; the version lets an older one be understood later.
 */
export type Cursor = { createdMs: number, n: number, page: number }

const VERSION = 1

export function formatCursor ({ createdMs, n, page }: Cursor): string {
  return Buffer.from(JSON.stringify([VERSION, createdMs, n, page])).toString('base64url')
}

/** Undefined where the text is no cursor of ours. */
export function parseCursor (text: string): Cursor | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 4 || !parts.every(part => Number.isSafeInteger(part) && part >= 0)) return undefined
    const [version, createdMs, n, page] = parts as [number, number, number, number]
    return version === VERSION ? { createdMs, n, page } : undefined
  } catch {
    return undefined
  }
}
