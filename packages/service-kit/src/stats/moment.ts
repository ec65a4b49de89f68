const EVENT_ID = /^(\d{1,15})-\d{1,15}$/
const MILLISECONDS = /^\d{1,15}$/
/** In a query, `+` that is not encoded arrives as a space. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[-+ ]\d{2}:\d{2}))?$/

/** A time (ISO 8601) or the id of an event as milliseconds since 1970; undefined where it is neither. */
export function momentOf (text: string): number | undefined {
  const [, ms] = EVENT_ID.exec(text) ?? []
  if (ms !== undefined) return Number(ms)
  const time = ISO_8601.test(text) ? Date.parse(text.replace(' ', '+')) : NaN
  return Number.isNaN(time) ? undefined : time
}

/** The same, or the digits of milliseconds. */
export function momentOrMs (text: string): number | undefined {
  return MILLISECONDS.test(text) ? Number(text) : momentOf(text)
}
