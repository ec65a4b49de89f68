import { isAway } from '@tidings/service-kit'

/** SQLSTATE's classes of what a row holds: data exceptions, broken constraints, limits. */
const DATA_ERRORS = ['22', '23', '54']

/** Whether the same would be refused again; a deadlock, a time-out, a full disk or a primary that is one no more will pass. */
export function isDataError (err: unknown): boolean {
  const { code } = err as { code?: unknown }
  const isSqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
  return isSqlState ? DATA_ERRORS.includes(code.slice(0, 2)) : !isAway(err)
}

/** Whether it is the value that is refused, and no fault of ours that would refuse every other one, too. */
export function isBadValue (err: unknown): boolean {
  return isDataError(err) && (err instanceof TypeError || err instanceof RangeError || typeof (err as { code?: unknown }).code === 'string')
}
