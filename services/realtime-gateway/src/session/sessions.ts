import { formatEventId, parseEventId } from '@tidings/job-events'
import type { Grant } from './session.ts'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import type { CursorOptions } from './event-cursor.ts'
import type { Hub } from './hub.ts'
import type { History } from './history.ts'
import { resume } from './resume.ts'
import { Session, type SessionContext, type SessionKind } from './session.ts'
import { TRANSPORT_KINDS, type EndReason, type TransportKind, type Transport } from './transport.ts'

type Log = { debug (fields: object, message: string): void, error (fields: object, message: string): void }

type SessionsOptions = { config: Config, tail: CursorOptions['tail'], hub: Hub, history: History, metrics: Metrics, log: Log }

export type Sessions = ReturnType<typeof createSessions>

/** Opens sessions, and knows those that are open. */
export function createSessions ({ config, tail, hub, history, metrics, log }: SessionsOptions) {
  const deliveries = Object.fromEntries(TRANSPORT_KINDS.map(kind => [kind, metrics.deliveries.labels({ transport: kind })])) as Record<TransportKind, ReturnType<typeof metrics.deliveries.labels>>
  const context: SessionContext = {
    tail,
    sendBufferLimits: {
      unsentBytes: config.REALTIME_UNSENT_BYTES,
      unsentPackets: config.REALTIME_UNSENT_PACKETS,
      slowMs: config.REALTIME_SLOW_MS
    },
    bufferLimits: { events: config.REALTIME_HELD_EVENTS, bytes: config.REALTIME_UNSENT_BYTES },
    delivered: ({ transport }) => deliveries[transport.kind].inc(),
    progressDropped: () => metrics.droppedProgress.inc(),
    rebuffered: () => metrics.rebuffered.inc(),
    ended
  }

  /** A session that holds from this turn on. Its face calls `closed()` when the transport is gone. */
  function open (transport: Transport, grant: Grant, kind: SessionKind = 'user'): Session {
    const session = new Session(context, transport, grant, kind)
    hub.add(session)
    metrics.sessions.inc({ transport: transport.kind })
    log.debug({ userId: session.userId, transport: transport.kind }, 'session opened')
    if (hub.isDraining) session.end('draining') // it was let in before, and the others are told already
    return session
  }

  function ended (session: Session, reason: EndReason | 'left') {
    const { kind } = session.transport
    session.grant.release()
    hub.remove(session)
    metrics.sessions.dec({ transport: kind })
    metrics.ends.inc({ transport: kind, reason })
    log.debug({ userId: session.userId, transport: kind, reason }, 'session ended')
  }

  /** Tells a user's session what it missed, introduces it, and in the same turn makes it live. */
  async function begin (session: Session, lastEventId: string | undefined): Promise<void> {
    const since = lastEventId === undefined ? undefined : parseEventId(lastEventId)
    try {
      const recovered = await resume(session, session.cursor, { history, since })
      sendHello(session, { since: lastEventId, recovered, position: formatEventId(session.cursor.position) })
      session.cursor.flush()
    } catch (err) {
      log.error({ err, userId: session.userId }, 'session could not resume')
      metrics.resumes.inc({ outcome: 'failed' })
      session.end('unavailable')
    }
  }

  /** Tells a session where it stands, and counts how it got there. `since` is what its client named. */
  function sendHello (session: Session, { since, recovered, position }: { since: string | undefined, recovered: boolean, position: string }) {
    metrics.resumes.inc({ outcome: since === undefined ? 'new' : recovered ? 'recovered' : 'lost' })
    session.sendHello(recovered, position)
  }

  return { open, begin, sendHello }
}
