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
