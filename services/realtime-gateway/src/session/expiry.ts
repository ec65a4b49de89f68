import type { Audience } from './audience.ts'
import type { Session } from './session.ts'

const AHEAD_MS = 60_000
const LOOK_MS = 500

/**
 * Tells sessions 60 s ahead that their token ends, and ends them with it. One
 * look over all, because a timer each is a quarter of what an idle session
 * adds. Returns what stops it.
 */
export function watchExpiries (audience: Audience): () => void {
  const timer = setInterval(() => {
    const now = Date.now()
    for (const session of audience.sessions) look(session, now)
  }, LOOK_MS).unref()
  return () => clearInterval(timer)
}

function look (session: Session, now: number) {
  const { expiresAt, acceptedUntil } = session.identity
  if (expiresAt === null || acceptedUntil === null || !session.isIntroduced) return
  if (expiresAt - now > AHEAD_MS) return
  if (session.warnedOf !== expiresAt) session.send('auth:expiring', { expiresAt })
  session.warnedOf = expiresAt
  if (now >= acceptedUntil) session.end('expired')
}
