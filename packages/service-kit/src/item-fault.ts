/**
 * Whether an error is the fault of one item of a batch, so that every retry would fail: Postgres refused a value (22:
 * data exception, 23: constraint, 54: program limit), a Redis key holds another type, or our own code met an unexpected
 * value. Every other error affects all items and passes: a store that is away, full or of another release, a deadlock,
 * or this process without file descriptors.
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
