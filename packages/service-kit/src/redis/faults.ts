/** Redis' own words for what it can't do now: a replica, full, still loading, its disk failing, a cluster that changes, a login that was changed. */
const REPLIES = [
  'READONLY', 'OOM', 'MISCONF', 'LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'BUSY', 'UNBLOCKED',
  'NOAUTH', 'WRONGPASS', 'NOPERM', 'MOVED', 'ASK', 'EXECABORT'
]
const NAMES = ['MaxRetriesPerRequestError', 'ClusterAllFailedError']
/** ioredis has no codes for these. */
const MESSAGES = [
  /^Connection is closed\.$/, /^Command timed out$/, /^Stream isn't writeable/, /^Cluster isn't ready/, /^None of startup nodes is available$/,
  /^Cluster is ended\.$/, /^All sentinels are unreachable/, /^Too many Cluster redirections/, /^connect ETIMEDOUT$/
]

/** Whether Redis can't do now what it could do at another time. */
export function isRedisUnavailable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (NAMES.includes(error.name) || MESSAGES.some(message => message.test(error.message))) return true
  // Lua's own errors carry Redis' word within: "-READONLY You can't write…" or "OOM command not allowed…".
  if (error.name === 'ReplyError' && REPLIES.includes(/^-?([A-Z]+)/.exec(error.message)?.[1] ?? '')) return true
  return error.cause instanceof Error && isRedisUnavailable(error.cause)
}
