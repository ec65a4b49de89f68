import { createHash } from 'node:crypto'

/** Identifies a request body, regardless of the order of its fields. */
export function fingerprint (route: string, body: unknown): string {
  return createHash('sha256').update(route).update(JSON.stringify(body, sortedKeys)).digest('base64')
}

function sortedKeys (_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1))
}
