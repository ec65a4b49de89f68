/**
 * Redis' error codes for a temporary state: a replica, full memory, loading, a failing disk, a changing cluster, a
 * changed login.
 */
const REPLIES = [
  'READONLY', 'OOM', 'MISCONF', 'LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'BUSY', 'UNBLOCKED',
  'NOAUTH', 'WRONGPASS', 'NOPERM', 'MOVED', 'ASK', 'EXECABORT'
]
const NAMES = ['MaxRetriesPerRequestError', 'ClusterAllFailedError']
/** ioredis has no codes for these errors. */
const MESSAGES = [
  /^Connection is closed\.$/, /^Command timed out$/, /^Stream isn't writeable/, /^Cluster isn't ready/,
  /^None of startup nodes is available$/,
  /^Cluster is ended\.$/, /^All sentinels are unreachable/, /^Too many Cluster redirections/, /^connect ETIMEDOUT$/
]

/** Whether an error is temporary: Redis is away, or cannot do something that it can do at another time. */
export function isRedisUnavailable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (NAMES.includes(error.name) || MESSAGES.some(message => message.test(error.message))) return true
  // Errors of Lua contain Redis' code: "-READONLY You can't write…" or "OOM command not allowed…".
  if (error.name === 'ReplyError' && REPLIES.includes(/^-?([A-Z]+)/.exec(error.message)?.[1] ?? '')) return true
  if (error.name === 'ReplyError' && refusalOf(error) !== undefined) return true
  return error.cause instanceof Error && isRedisUnavailable(error.cause)
}

const REFUSALS = new RegExp([
  'WRONGPASS', 'NOAUTH', 'NOPERM', 'ACL failure in script', "can't run this command",
  'REDIS_URL leads to a node', 'invalid password', 'AUTH <password>', 'AUTH called without any password'
].join('|'))

/** The reason where Redis refuses the login or its permissions, which does not change by waiting. */
export function refusalOf (error: Error | undefined): string | undefined {
  const { message, lastNodeError } = (error ?? {}) as { message?: string, lastNodeError?: Error }
  return [message, lastNodeError?.message].find(text => text !== undefined && REFUSALS.test(text))
}
