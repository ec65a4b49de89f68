import { formatEventId, parseEventId } from '@tidings/job-events'
import type { Pass } from '../auth/pass.ts'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import type { Tail } from '../tail/tail.ts'
import type { Audience } from './audience.ts'
import type { History } from './history.ts'
import { resume } from './resume.ts'
import { Session, type SessionContext, type SessionKind } from './session.ts'
import { FACES, type EndReason, type Face, type Wire } from './wire.ts'

type Log = { debug (fields: object, message: string): void, error (fields: object, message: string): void }

type SessionsOptions = { config: Config, tail: Tail, audience: Audience, history: History, metrics: Metrics, isDraining: () => boolean, log: Log }

export type Sessions = ReturnType<typeof createSessions>

/** Opens sessions, and knows those that are open. */
export function createSessions ({ config, tail, audience, history, metrics, isDraining, log }: SessionsOptions) {
  const deliveries = Object.fromEntries(FACES.map(face => [face, metrics.deliveries.labels({ face })])) as Record<Face, ReturnType<typeof metrics.deliveries.labels>>
  const context: SessionContext = {
    tail,
    bounds: {
      unsentBytes: config.REALTIME_UNSENT_BYTES,
      unsentPackets: config.REALTIME_UNSENT_PACKETS,
      slowMs: config.REALTIME_SLOW_MS
    },
    held: { events: config.REALTIME_HELD_EVENTS, bytes: config.REALTIME_UNSENT_BYTES },
    told: ({ wire }) => deliveries[wire.face].inc(),
    spared: () => metrics.spared.inc(),
    heldAnew: () => metrics.heldAnew.inc(),
    ended
  }

  /** A session that holds from this turn on. Its face calls `closed()` when the wire is gone. */
  function open (wire: Wire, pass: Pass, kind: SessionKind = 'user'): Session {
    const session = new Session(context, wire, pass, kind)
    audience.add(session)
    metrics.sessions.inc({ face: wire.face })
    log.debug({ userId: session.userId, face: wire.face }, 'session opened')
    if (isDraining()) session.end('draining') // it was let in before, and the others are told already
    return session
  }

  function ended (session: Session, reason: EndReason | 'left') {
    const { face } = session.wire
    session.pass.leave()
    audience.remove(session)
    metrics.sessions.dec({ face })
    metrics.ends.inc({ face, reason })
    log.debug({ userId: session.userId, face, reason }, 'session ended')
  }

  /** Tells a user's session what it missed, introduces it, and in the same turn makes it live. */
  async function begin (session: Session, lastEventId: string | undefined): Promise<void> {
    const since = lastEventId === undefined ? undefined : parseEventId(lastEventId)
    try {
      const recovered = await resume(session, session.feed, { history, since })
      introduce(session, { since: lastEventId, recovered, position: formatEventId(session.feed.position) })
      session.feed.release()
    } catch (err) {
      log.error({ err, userId: session.userId }, 'session could not resume')
      metrics.resumes.inc({ outcome: 'failed' })
      session.end('unavailable')
    }
  }

  /** Tells a session where it stands, and counts how it got there. `since` is what its client named. */
  function introduce (session: Session, { since, recovered, position }: { since: string | undefined, recovered: boolean, position: string }) {
    metrics.resumes.inc({ outcome: since === undefined ? 'new' : recovered ? 'recovered' : 'lost' })
    session.introduce(recovered, position)
  }

  return { open, begin, introduce }
}
