/** The entity tag of a job: its last event, since only events change its representation. */
export function etagOf (lastEventId: string | null): string {
  return `"${lastEventId ?? '0-0'}"`
}

/** Whether an If-None-Match header matches the tag (RFC 9110 §13.1.2: a list, weak or strong, or `*`). */
export function matches (ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
