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
  if (error.name === 'ReplyError' && refusalOf(error) !== undefined) return true
  return error.cause instanceof Error && isRedisUnavailable(error.cause)
}

const REFUSALS = /WRONGPASS|NOAUTH|NOPERM|ACL failure in script|can't run this command|REDIS_URL leads to a node|invalid password|AUTH <password>|AUTH called without any password/

/** The reason where an error means that Redis refuses the login or its rights; waiting does not mend that. */
export function refusalOf (error: Error | undefined): string | undefined {
  const { message, lastNodeError } = (error ?? {}) as { message?: string, lastNodeError?: Error }
  return [message, lastNodeError?.message].find(text => text !== undefined && REFUSALS.test(text))
}
