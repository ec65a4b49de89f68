import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

const NOTICE_MS = 60_000
const CHECK_MS = 500

/**
 * Announces the expiry of a token to its session 60 s ahead, and ends the session with the token. One check of all
 * sessions, because a timer each would be a quarter of the memory of an idle session. Returns what stops the checks.
 */
export function watchExpiries (hub: Hub): () => void {
  const timer = setInterval(() => {
    const now = Date.now()
    for (const session of hub.sessions) checkExpiry(session, now)
  }, CHECK_MS).unref()
  return () => clearInterval(timer)
}

function checkExpiry (session: Session, now: number) {
  const { expiresAt, acceptedUntil } = session.identity
  if (expiresAt === null || acceptedUntil === null || !session.helloSent) return
  if (expiresAt - now > NOTICE_MS) return
  if (session.announcedExpiry !== expiresAt) session.send('auth:expiring', { expiresAt })
  session.announcedExpiry = expiresAt
  if (now >= acceptedUntil) session.end('expired')
}
