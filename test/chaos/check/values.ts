/** Stands for a value that is too large for an event. */
export const LARGE = Symbol('a value above 64 KiB')
/** Stands for the error of a job that was removed: BullMQ does not record by whom. */
export const REMOVED = Symbol('the error of a removed job')
/** A progress, a result or an error: any JSON. */
export type Value = unknown

const REMOVALS: readonly unknown[] = ['Cancelled by user', 'Removed from the queue']

/** What a payload has as its progress, result or error. */
export function valueOfPayload (payload: Record<string, unknown>): Value {
  if (payload.progressTruncated || payload.resultTruncated || payload.errorTruncated) return LARGE
  return payload.progress ?? payload.result ?? payload.error
}

/** A text that is equal for equal values. */
export function textOf (value: Value): string {
  if (value === LARGE) return 'LARGE'
  if (value === REMOVED || REMOVALS.includes(value)) return 'REMOVED'
  return JSON.stringify(value) ?? ''
}
