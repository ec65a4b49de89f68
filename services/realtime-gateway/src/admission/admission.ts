import createError from '@fastify/error'
import type { FastifyBaseLogger } from 'fastify'
import { TokenRefused, type Identity, type VerifyToken } from '@tidings/contracts'
import { isNamed, logAudit, targetResolver } from '@tidings/service-kit'
import type { Grant } from '../session/session.ts'
import { TokenBucket } from '../session/token-bucket.ts'
import type { Revocations } from './revocations.ts'
import type { SessionQuota } from './session-quota.ts'

/** Users whose connect rate is remembered. Beyond, users that have used none of it are forgotten first. */
const MAX_USERS = 20_000

export const TooManySessions = createError('TOO_MANY_SESSIONS', 'The user has too many sessions', 429)
export const TooManyConnects = createError('TOO_MANY_CONNECTS', 'Too many sessions are being opened; try again', 503)
const NotReady = createError('NOT_READY', 'The gateway is not ready; try again', 503)

export type Admission = ReturnType<typeof createAdmission>

type AdmissionOptions = {
  verifyToken: VerifyToken
  revocations: Revocations
  quota: SessionQuota
  connectsPerSecond: number
  maxSessions: number
  isReady: () => boolean
  log: FastifyBaseLogger
}

/** What admits a client, and, for the audit log, how it connects. */
export type ConnectRequest = {
  token: string | undefined
  /** The user whose events an operator asks for; undefined for the token's own. */
  userId: unknown
  route: string
  requestId: string
}

/** Every session reads jobs. */
const resolveTarget = targetResolver('jobs:read', { path: 'userId' })

/** Admits the clients of every transport to a session, or refuses them. */
export function createAdmission (options: AdmissionOptions) {
  const { verifyToken, revocations, quota, connectsPerSecond, maxSessions, isReady, log } = options
  const rates = createConnectRates({ perSecond: connectsPerSecond, maxSessions })

  /** @throws TokenRefused */
  async function identify (token: string | undefined): Promise<Identity> {
    const identity = await verifyToken(token)
    if (await revocations.isRevoked(identity)) throw new TokenRefused('token_invalid', 'The token was revoked')
    return identity
  }

  /** Costs nothing, so it comes before all other checks. @throws NotReady */
  function assertAccepting (): void {
    if (!isReady()) throw new NotReady()
  }

  /** Counts a connect. Only valid tokens count, so nobody else can use up the rate. @throws TooManyConnects */
  function countConnect ({ userId }: Identity): void {
    if (!rates.take(userId)) throw new TooManyConnects()
  }

  /** @throws TokenRefused | TooManyConnects | TooManySessions, 403 without the scope, 400 for what is no user id */
  async function admit ({ token, userId: named, ...request }: ConnectRequest): Promise<Grant> {
    const identity = await identify(token)
    const isOperator = isNamed(named) && String(named) !== identity.userId
    const audit = (status: number) => {
      if (!isOperator) return
      logAudit(log, { ...request, actor: identity.userId, user: String(named), method: 'GET', status })
    }
    try {
      countConnect(identity)
      const { ownerId } = resolveTarget(identity, named)
      const release = await quota.acquire(identity.userId)
      if (!release) throw new TooManySessions()
      audit(200)
      return { identity, userId: ownerId, token: token as string, release }
    } catch (err) {
      audit((err as { statusCode?: number }).statusCode ?? 500)
      throw err
    }
  }

  return { assertAccepting, countConnect, admit, identify }
}

/** The label of a failed connect in the metrics: the code of our own errors, or `failed`. */
export function outcomeOf (err: unknown): string {
  const isOurs = err instanceof TokenRefused || (err as { statusCode?: number }).statusCode !== undefined
  return isOurs ? String((err as { code?: string }).code).toLowerCase() : 'failed'
}

/**
 * How many sessions may be opened: so many per second in total, and of one user no more than a part of them, so that
 * nobody takes the share of others. A user may open all of their sessions at once, twice.
 */
function createConnectRates ({ perSecond, maxSessions }: { perSecond: number, maxSessions: number }) {
  const all = new TokenBucket(perSecond)
  const users = new Map<string, TokenBucket>()

  function bucketOf (userId: string): TokenBucket {
    const known = users.get(userId)
    if (known) return known
    if (users.size >= MAX_USERS) evict()
    const bucket = new TokenBucket(Math.max(20, maxSessions / 5), Math.max(100, 2 * maxSessions))
    users.set(userId, bucket)
    return bucket
  }

  function evict () {
    for (const [userId, bucket] of users) if (bucket.isFull()) users.delete(userId)
    for (const userId of users.keys()) {
      if (users.size < MAX_USERS) return
      users.delete(userId)
    }
  }

  return { take: (userId: string) => bucketOf(userId).take() && all.take() }
}
