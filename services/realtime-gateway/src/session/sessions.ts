import { formatEventId, parseEventId } from '@tidings/job-events'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import type { CursorOptions } from './event-cursor.ts'
import type { History } from './history.ts'
import type { Hub } from './hub.ts'
import { resume } from './resume.ts'
import { Session, type Grant, type SessionContext, type SessionKind } from './session.ts'
import { TRANSPORT_KINDS, type EndReason, type Transport, type TransportKind } from './transport.ts'

type Log = { debug (fields: object, message: string): void, error (fields: object, message: string): void }

type SessionsOptions = {
  config: Config
  tail: CursorOptions['tail']
  hub: Hub
  history: History
  metrics: Metrics
  log: Log
}

/** `since` is the position that the client named, `position` the one from which it is complete. */
type Hello = { since: string | undefined, recovered: boolean, position: string }

export type Sessions = ReturnType<typeof createSessions>

/** Opens sessions, and resumes them from their history. */
export function createSessions ({ config, tail, hub, history, metrics, log }: SessionsOptions) {
  const deliveries = deliveryCounters(metrics)
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

  /** A session that buffers from this tick on. Its transport's plugin calls `closed()` when the connection is gone. */
  function open (transport: Transport, grant: Grant, kind: SessionKind = 'user'): Session {
    const session = new Session(context, transport, grant, kind)
    hub.add(session)
    metrics.sessions.inc({ transport: transport.kind })
    log.debug({ userId: session.userId, transport: transport.kind }, 'session opened')
    if (hub.isDraining) session.end('draining') // admitted before the drain, which has passed the other sessions
    return session
  }

  function ended (session: Session, reason: EndReason | 'left') {
    const { kind: transport } = session.transport
    session.grant.release()
    hub.remove(session)
    metrics.sessions.dec({ transport })
    metrics.ends.inc({ transport, reason })
    log.debug({ userId: session.userId, transport, reason }, 'session ended')
  }

  /** Sends a user's session the events that it missed, then `session`, and in the same tick makes it live. */
  async function begin (session: Session, lastEventId: string | undefined): Promise<void> {
    const since = lastEventId === undefined ? undefined : parseEventId(lastEventId)
    try {
      if (since) session.cursor.receivedUpTo = since
      const recovered = await resume(session, session.cursor, { history, since })
      const position = formatEventId(session.cursor.position)
      sendHello(session, { since: lastEventId, recovered, position })
      session.cursor.flush()
    } catch (err) {
      log.error({ err, userId: session.userId }, 'session could not resume')
      metrics.resumes.inc({ outcome: 'failed' })
      session.end('unavailable')
    }
  }

  /** Sends `session` to a client, and counts the outcome of its resume. */
  function sendHello (session: Session, { since, recovered, position }: Hello) {
    metrics.resumes.inc({ outcome: since === undefined ? 'new' : recovered ? 'recovered' : 'lost' })
    session.sendHello(recovered, position)
  }

  return { open, begin, sendHello }
}

/** One counter per transport, so that no labels are looked up per event. */
function deliveryCounters ({ deliveries }: Metrics) {
  const counters = TRANSPORT_KINDS.map(transport => [transport, deliveries.labels({ transport })])
  return Object.fromEntries(counters) as Record<TransportKind, ReturnType<typeof deliveries.labels>>
}
