const AWAY = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN',
  'CONNECT_TIMEOUT', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', '57P03', '53300'
])

/** Temporary errors: the server is full, read-only, out of locks or out of time. */
const PASSING = new Set([
  '25006', // read-only: a standby, or a primary that its provider has locked because its disk is full
  '40001', '40P01', // serialization, deadlock
  '55P03', // lock timeout
  '57014', // statement timeout
  '25P03', '25P04', // idle in transaction, transaction timeout
  'EMFILE', 'ENFILE', 'ENOBUFS', 'ECONNABORTED', 'EADDRNOTAVAIL',
  '28000', '28P01', '3D000' // of a connection: the password was changed, or the database is being moved
])
/** 53: out of disk, memory or connections; 58: the server's disk fails. */
const PASSING_CLASSES = ['53', '58']

/** Whether an error means that Postgres cannot be reached, and not that it refused a statement. */
export function isAway (error: unknown): boolean {
  const { code, cause } = error as { code?: unknown, cause?: unknown }
  return (typeof code === 'string' && (AWAY.has(code) || code.startsWith('08') || code.startsWith('57P'))) ||
    (cause instanceof Error && isAway(cause))
}

/** Whether an error is temporary: Postgres is away, full, read-only or too slow. */
export function isPostgresUnavailable (error: unknown): boolean {
  const { code, cause, syscall } = error as { code?: unknown, cause?: unknown, syscall?: unknown }
  if (isAway(error) || syscall === 'connect') return true
  if (typeof code === 'string' &&
    (PASSING.has(code) || (isSqlState(code) && PASSING_CLASSES.includes(code.slice(0, 2))))) return true
  return cause instanceof Error && isPostgresUnavailable(cause)
}

/** Five digits or capitals; Node's codes start with E and are longer. */
function isSqlState (code: unknown): code is string {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)
}
