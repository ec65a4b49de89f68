import createError from '@fastify/error'
import type { FastifyBaseLogger } from 'fastify'
import { isNewer, parseEventId, type EventId } from '@tidings/job-events'
import type { Watch } from '../projector/projection-progress.ts'

/** What a client named may still be on its way into the rows; longer than this it does not wait. */
const PATIENCE_MS = 5000

const InvalidAfter = createError('INVALID_INPUT', 'The request is not valid', 400)
const NotThereYet = createError('NOT_THERE_YET', 'What is told here does not reach that event yet', 503)

type Reach = {
  projected: Watch
  /** The newest id given out, undefined where there is none. */
  lastId: () => Promise<EventId | undefined>
  log: FastifyBaseLogger
}

/**
 * Waits until the rows stand at the event that a client knows of, so that one
 * who was told "completed" never reads "active".
 * @throws 400 for an id that was never given out, 503 where the wait would be too long
 */
export async function reachEvent (after: string, signal: AbortSignal, { projected, lastId, log }: Reach): Promise<void> {
  const id = parseEventId(after)
  if (!id) throw invalid('is no event id')
  if (!isNewer(id, projected.position)) return
  const until = Date.now() + PATIENCE_MS // a Redis that does not answer takes its time of it
  const last = await lastId().catch((err: unknown) => { log.debug({ err }, 'last event id: Redis did not answer') })
  if (last && isNewer(id, last)) throw invalid('is an event of the future')
  if (!await projected.reached(id, { timeoutMs: until - Date.now(), signal })) throw new NotThereYet()
}

function invalid (message: string) {
  return Object.assign(new InvalidAfter(), { errors: [{ path: 'querystring.after', message }] })
}
