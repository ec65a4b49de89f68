const FORM = /^(\d{1,15})-(\d{1,15})$/

/** Whether this is the id of an event: `<milliseconds>-<sequence>`. */
export function isEventId (value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value)
}

/** Whether an event is newer than another. Ids are pairs of integers: as texts "9-0" would stand above "10-0". */
export function isNewer (a: string, b: string | null | undefined): boolean {
  if (b === null || b === undefined) return true
  const [ms, sequence] = parts(a)
  const [otherMs, otherSequence] = parts(b)
  return ms > otherMs || (ms === otherMs && sequence > otherSequence)
}

function parts (id: string): [number, number] {
  const [, ms, sequence] = FORM.exec(id) ?? []
  return [Number(ms ?? -1), Number(sequence ?? -1)]
}
