import type { Session } from './session.ts'

const AHEAD_MS = 60_000
/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Tells a session 60 s ahead that its token ends, and ends it with it. Returns what disarms it. */
export function watchExpiry (session: Session): () => void {
  const { expiresAt } = session.identity
  if (expiresAt === null) return () => {}
  let timer: NodeJS.Timeout | undefined
  const at = (moment: number, act: () => void) => {
    const wait = moment - Date.now()
    timer = wait > MAX_TIMER_MS ? setTimeout(at, MAX_TIMER_MS, moment, act) : setTimeout(act, wait)
    timer.unref()
  }
  at(expiresAt - AHEAD_MS, () => {
    session.send('auth:expiring', { expiresAt })
    at(expiresAt, () => session.end('expired'))
  })
  return () => clearTimeout(timer)
}
