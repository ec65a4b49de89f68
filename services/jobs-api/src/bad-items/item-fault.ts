/**
 * Whether an error is the fault of the given item, so that every retry would fail: Postgres refused a value (22: data
 * exception, 23: constraint, 54: program limit), a Redis key holds another type, or our own code met an unexpected
 * value. Every other error (a store that is away, full, or of another release) affects all items and passes.
 */
export function isItemFault (err: unknown): boolean {
  if (!(err instanceof Error)) return false
  const { code } = err as { code?: unknown }
  if (typeof code === 'string') return CODES.test(code)
  return err.name === 'MalformedEntry' || err.message.startsWith('WRONGTYPE') || OWN.some(type => err instanceof type)
}

/** Codes of Postgres, of its client, and of Node. */
const CODES = /^(22|23|54)...$|^UNDEFINED_VALUE$|^ERR_(INVALID|OUT_OF_RANGE|STRING_TOO_LONG)/
const OWN = [TypeError, RangeError, SyntaxError, URIError]

/** Whether BullMQ refused a job because of its options, that is, for no reason of Redis' state or of the connection. */
export function isRefusedByBullMQ (err: unknown): boolean {
  if (!(err instanceof Error)) return false
  const { code, name, message } = err as Error & { code?: unknown }
  if (name === 'MaxRetriesPerRequestError' || name === 'AbortError') return false
  if (typeof code === 'string') return false // a network error: ECONNREFUSED …
  return !CONNECTION.test(message) && !STATE.test(message)
}

const CONNECTION = /connection|writeable|timed out|timeout|closed|socket/i
const STATE = new RegExp(`^(${[
  'BUSY', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'MISCONF', 'MOVED', 'NOAUTH', 'NOPERM', 'NOREPLICAS', 'OOM',
  'READONLY', 'TRYAGAIN', 'UNBLOCKED', 'WRONGPASS'
].join('|')})`)
