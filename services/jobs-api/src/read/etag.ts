/** The entity tag of a job: its last event, since only events change its representation. */
export function etagOf (lastEventId: string | null): string {
  return `"${lastEventId ?? '0-0'}"`
}
