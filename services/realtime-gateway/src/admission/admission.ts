import createError from '@fastify/error'
import { TokenRefused, type Identity, type VerifyToken } from '@tidings/contracts'
import type { Revocations } from './revocations.ts'
import type { Grant } from '../session/session.ts'
import type { SessionQuota } from './session-quota.ts'
import { createConnectRates } from './connect-rates.ts'

export const TooManySessions = createError('TOO_MANY_SESSIONS', 'The user has too many sessions', 429)
export const TooManyConnects = createError('TOO_MANY_CONNECTS', 'Too many sessions are being opened, try again', 503)
export const NotReady = createError('NOT_READY', 'The gateway is not ready, try again', 503)

export type Admission = ReturnType<typeof createAdmission>

type AdmissionOptions = {
  verifyToken: VerifyToken
  revocations: Revocations
  quota: SessionQuota
  connectsPerSecond: number
  maxSessions: number
  isReady: () => boolean
}

/** Whoever wants a session passes here, whatever it speaks. */
export function createAdmission ({ verifyToken, revocations, quota, connectsPerSecond, maxSessions, isReady }: AdmissionOptions) {
  const rates = createConnectRates({ perSecond: connectsPerSecond, maxSessions })

  /** @throws TokenRefused */
  async function identify (token: string | undefined): Promise<Identity> {
    const identity = await verifyToken(token)
    if (await revocations.isRevoked(identity)) throw new TokenRefused('token_invalid', 'The token was revoked')
    return identity
  }

  /** To be asked before anything else, for it costs nothing. @throws NotReady */
  function assertAccepting (): void {
    if (!isReady()) throw new NotReady()
  }

  /** Counts a session that somebody asks for; only whoever is known is counted, so nobody else can use this up. @throws TooManyConnects */
  function countConnect ({ userId }: Identity): void {
    if (!rates.take(userId)) throw new TooManyConnects()
  }

  /** @throws TokenRefused | TooManyConnects | TooManySessions */
  async function admit (token: string | undefined): Promise<Grant> {
    const identity = await identify(token)
    countConnect(identity)
    const release = await quota.acquire(identity.userId)
    if (!release) throw new TooManySessions()
    return { identity, token: token as string, release }
  }

  return { assertAccepting, countConnect, admit, identify }
}

/** What became of who wanted a session, as its metric says it. */
export function outcomeOf (err: unknown): string {
  const isOurs = err instanceof TokenRefused || (err as { statusCode?: number }).statusCode !== undefined
  return isOurs ? String((err as { code?: string }).code).toLowerCase() : 'failed'
}
