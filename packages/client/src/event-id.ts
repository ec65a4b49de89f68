/** Whether this is the id of an event: `<milliseconds>-<sequence>`. */
export function isEventId (value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,15}-\d{1,15}$/.test(value)
}

/** Whether an event is newer than another. Ids are pairs of integers: as texts "9-0" would stand above "10-0". */
export function isNewer (a: string | null | undefined, b: string | null | undefined): boolean {
  return sortable(a) > sortable(b)
}

/** A text that sorts as the id does, and nothing before each. */
function sortable (id: string | null | undefined): string {
  return id ? id.replace(/\d+/g, part => part.padStart(15, '0')) : ''
}
