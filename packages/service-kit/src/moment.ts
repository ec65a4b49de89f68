const EVENT_ID = /^(\d{1,15})-\d{1,15}$/
const MILLISECONDS = /^\d{1,16}$/
/** In a query, `+` that is not encoded arrives as a space. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[-+ ]\d{2}:\d{2}))?$/

/** What a moment may be, as errors say it: "must be …". */
export const MOMENT_FORMS = 'milliseconds since 1970, a time (ISO 8601), or the id of an event'

/** A moment (`Moment` of contracts) as milliseconds since 1970; undefined where it has none of the forms. */
export function momentOf (value: string | number): number | undefined {
  const text = String(value)
  const [, ms] = EVENT_ID.exec(text) ?? []
  if (ms !== undefined) return Number(ms)
  if (MILLISECONDS.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : undefined
  const time = ISO_8601.test(text) ? Date.parse(text.replace(' ', '+')) : NaN
  return Number.isNaN(time) ? undefined : time
}
