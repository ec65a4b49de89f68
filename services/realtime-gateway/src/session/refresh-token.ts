import { setTimeout as sleep } from 'node:timers/promises'
import { TokenRefused, type AuthRefreshAck, type Identity } from '@tidings/contracts'
import { targetResolver } from '@tidings/service-kit'
import type { Session } from './session.ts'

const MIN_PAUSE_MS = 500
const MAX_PAUSE_MS = 10_000

type Log = { debug (fields: object, message: string): void }
type Answer = ((ack: AuthRefreshAck & { retrying?: boolean }) => void) | undefined
/** @throws TokenRefused */
export type Identify = (token: string | undefined) => Promise<Identity>
type RefreshOptions = { identify: Identify, log: Log, answer: Answer }

/**
 * Gives a session a new token of the same user. While the token cannot be verified (the identity provider's keys are
 * unavailable) it is retried, until the session ends or a newer token comes; the outcome is then sent as an event.
 */
export async function refreshToken (session: Session, token: string, options: RefreshOptions): Promise<void> {
  const { answer } = options
  session.pendingToken = token
  const isWanted = () => session.pendingToken === token && !session.hasEnded
  let isAnswered = false
  for (let pauseMs = MIN_PAUSE_MS; isWanted(); pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    const ack = await attempt(session, token, options)
    if (ack) return respond(session, token, { ack, answer: isAnswered ? undefined : answer })
    if (!isAnswered) answer?.({ ok: false, error: 'unavailable', retrying: true })
    isAnswered = true
    await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { ref: false })
  }
  if (!isAnswered) answer?.({ ok: false, error: 'superseded' })
}

const resolveTarget = targetResolver('jobs:read')

type AttemptOptions = Omit<RefreshOptions, 'answer'>

/** Undefined if the token cannot be verified now. */
async function attempt (session: Session, token: string, { identify, log }: AttemptOptions) {
  try {
    const identity = await identify(token)
    if (identity.userId !== session.identity.userId) return { ok: false as const, error: 'another user' }
    resolveTarget(identity, session.userId)
    if (session.pendingToken === token) session.grant = { ...session.grant, identity, token }
    return { ok: true as const, expiresAt: identity.expiresAt }
  } catch (err) {
    if (err instanceof TokenRefused) return { ok: false as const, error: err.code }
    if ((err as { scope?: string }).scope !== undefined) return { ok: false as const, error: 'insufficient_scope' }
    log.debug({ err }, 'auth:refresh: the token cannot be verified now')
    return undefined
  }
}

function respond (session: Session, token: string, { ack, answer }: { ack: AuthRefreshAck, answer: Answer }) {
  if (session.pendingToken === token) session.pendingToken = undefined
  if (answer) answer(ack)
  else if (ack.ok) session.send('auth:refreshed', { expiresAt: ack.expiresAt })
  else session.send('auth:error', { error: ack.error })
}
