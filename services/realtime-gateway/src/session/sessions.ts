import { renderUserId } from '@tidings/contracts'
import { formatEventId, parseEventId } from '@tidings/job-events'
import type { Pass } from '../auth/gate.ts'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import type { Tail } from '../tail/tail.ts'
import type { Audience } from './audience.ts'
import { watchExpiry } from './expiry.ts'
import type { History } from './history.ts'
import { resume } from './resume.ts'
import { Session, type SessionKind, type SessionOptions } from './session.ts'
import type { Wire } from './wire.ts'

type Log = { debug (fields: object, message: string): void, error (fields: object, message: string): void }

type SessionsOptions = { config: Config, tail: Tail, audience: Audience, history: History, metrics: Metrics, log: Log }

export type Sessions = ReturnType<typeof createSessions>

/** Opens sessions, and knows those that are open. */
export function createSessions ({ config, tail, audience, history, metrics, log }: SessionsOptions) {
  const disarm = new Map<Session, () => void>()
  const bounds: SessionOptions['bounds'] = {
    unsentBytes: config.REALTIME_UNSENT_BYTES,
    unsentPackets: config.REALTIME_UNSENT_PACKETS,
    slowMs: config.REALTIME_SLOW_MS,
    held: { events: config.REALTIME_HELD_EVENTS, bytes: config.REALTIME_UNSENT_BYTES }
  }

  /** A session that holds from this turn on. Its face calls `closed()` when the wire is gone. */
  function open (wire: Wire, { identity, token, leave }: Pass, kind: SessionKind = 'user'): Session {
    const { face } = wire
    const deliveries = metrics.deliveries.labels({ face })
    const session = new Session({
      wire,
      kind,
      identity,
      token,
      tail,
      bounds,
      onTold: () => deliveries.inc(),
      onSpared: () => metrics.spared.inc(),
      onEnd: (ended, reason) => {
        leave()
        audience.remove(ended)
        disarm.get(ended)?.()
        disarm.delete(ended)
        metrics.sessions.dec({ face })
        metrics.ends.inc({ face, reason })
        log.debug({ userId: ended.userId, face, reason }, 'session ended')
      }
    })
    audience.add(session)
    metrics.sessions.inc({ face })
    log.debug({ userId: session.userId, face }, 'session opened')
    return session
  }

  /** Tells a user's session what it missed, introduces it, and makes it live. */
  async function begin (session: Session, lastEventId: string | undefined): Promise<void> {
    const since = lastEventId === undefined ? undefined : parseEventId(lastEventId)
    try {
      const recovered = await resume(session, session.feed, { history, since })
      metrics.resumes.inc({ outcome: since === undefined ? 'new' : recovered ? 'recovered' : 'lost' })
      introduce(session, recovered)
    } catch (err) {
      log.error({ err, userId: session.userId }, 'session could not resume')
      metrics.resumes.inc({ outcome: 'failed' })
      session.end('unavailable')
    }
  }

  /** Sends `session`, and in the same turn what was held. */
  function introduce (session: Session, recovered: boolean): void {
    if (session.hasEnded) return
    const lastEventId = formatEventId(session.feed.position)
    const { expiresAt } = session.identity
    session.send('session', { userId: renderUserId(session.userId), recovered, lastEventId, expiresAt }, lastEventId)
    session.feed.release()
    watch(session)
  }

  /** Arms the end of its token, anew after a refresh. */
  function watch (session: Session): void {
    disarm.get(session)?.()
    disarm.set(session, watchExpiry(session))
  }

  return { open, begin, introduce, watch }
}
