/**
 * Whether an error is the fault of what was handed in, so that it would come
 * again and again: Postgres refused a value (22: data exception, 23: constraint,
 * 54: program limit), a key of Redis holds another type, or our own code met a
 * value that it did not expect. Everything else (a store that is away, full, or
 * of another release) concerns all items and passes.
 */
export function isItemFault (err: unknown): boolean {
  if (!(err instanceof Error)) return false
  const { code } = err as { code?: unknown }
  if (typeof code === 'string') return CODES.test(code)
  return err.name === 'MalformedEntry' || err.message.startsWith('WRONGTYPE') || OWN.some(type => err instanceof type)
}

/** Of Postgres, of its client, and of Node. */
const CODES = /^(22|23|54)...$|^UNDEFINED_VALUE$|^ERR_(INVALID|OUT_OF_RANGE|STRING_TOO_LONG)/
const OWN = [TypeError, RangeError, SyntaxError, URIError]

/**
 * Whether BullMQ refused a job for what it is: by an error that is neither
 * Redis' state nor the connection's.
 */
export function isRefusedByBullMQ (err: unknown): boolean {
  if (!(err instanceof Error)) return false
  const { code, name, message } = err as Error & { code?: unknown }
  if (name === 'MaxRetriesPerRequestError' || name === 'AbortError') return false
  if (typeof code === 'string') return false // of the network: ECONNREFUSED …
  return !CONNECTION.test(message) && !STATE.test(message)
}

const CONNECTION = /connection|writeable|timed out|timeout|closed|socket/i
const STATE = /^(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|MOVED|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|TRYAGAIN|UNBLOCKED|WRONGPASS)/
