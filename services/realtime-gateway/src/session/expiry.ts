import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

const NOTICE_MS = 60_000
const CHECK_MS = 500

/**
 * Tells sessions 60 s ahead that their token ends, and ends them with it. One
 * look over all, because a timer each is a quarter of what an idle session
 * adds. Returns what stops it.
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
