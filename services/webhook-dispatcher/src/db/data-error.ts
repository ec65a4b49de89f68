import { isAway } from '@tidings/service-kit'

/** SQLSTATE classes of bad row contents: data exceptions, constraint violations, program limits. */
const DATA_ERRORS = ['22', '23', '54']

/** Whether the statement would fail again; a deadlock, a timeout, a full disk or a former primary are temporary. */
export function isDataError (err: unknown): boolean {
  const { code } = err as { code?: unknown }
  const isSqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
  return isSqlState ? DATA_ERRORS.includes(code.slice(0, 2)) : !isAway(err)
}

/** Whether the value is refused, as opposed to a fault of ours that would refuse every value. */
export function isBadValue (err: unknown): boolean {
  return isDataError(err) && (
    err instanceof TypeError || err instanceof RangeError || typeof (err as { code?: unknown }).code === 'string'
  )
}
