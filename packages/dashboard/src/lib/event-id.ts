/** An event's id, the same in every channel: milliseconds, and a number among the events of the same one. */
const EVENT_ID = /^(\d{10,15})-(\d{1,10})$/

export const looksLikeEventId = (text: string): boolean => EVENT_ID.test(text)

/** The milliseconds and the number of an id; both 0 for what is none. */
export function partsOf (eventId: string): { ms: number, number: number } {
  const [, ms = '0', number = '0'] = EVENT_ID.exec(eventId) ?? []
  return { ms: Number(ms), number: Number(number) }
}

/** The position before an event: what is read from there on begins with it. */
export function positionBefore (eventId: string): string {
  const { ms, number } = partsOf(eventId)
  return number > 0 ? `${ms}-${number - 1}` : `${ms - 1}-999999999`
}
