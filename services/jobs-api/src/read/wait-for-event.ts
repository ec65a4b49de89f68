import createError from '@fastify/error'
import type { FastifyBaseLogger } from 'fastify'
import { isNewer, parseEventId, type EventId } from '@tidings/job-events'
import { invalidInput } from '@tidings/service-kit'
import type { ProjectionProgress } from '../projector/projection-progress.ts'

/** How long a request waits for the projection of the event that it names. */
const WAIT_TIMEOUT_MS = 5000

export const NotThereYet = createError('NOT_THERE_YET', 'This event has not been processed yet; try again', 503)

type WaitContext = {
  projection: ProjectionProgress
  /** The newest id of the stream, undefined if there is none. */
  lastId: () => Promise<EventId | undefined>
  log: FastifyBaseLogger
}

/**
 * Waits until the rows have the event that a client knows, so that a client that received "completed" never reads
 * "active".
 * @throws 400 for an id that was never published, 503 if the wait would be too long
 */
export async function waitForEvent (
  after: string, signal: AbortSignal, { projection, lastId, log }: WaitContext
): Promise<void> {
  const id = parseEventId(after)
  if (!id) throw invalid('is not an event id')
  if (projection.hasReached(id)) return
  const until = Date.now() + WAIT_TIMEOUT_MS // the time that Redis takes to answer counts
  const last = await lastId().catch((err: unknown) => { log.debug({ err }, 'last event id: Redis did not answer') })
  if (last && isNewer(id, last)) throw invalid('is an event of the future')
  if (!await projection.waitFor(id, { timeoutMs: until - Date.now(), signal })) throw new NotThereYet()
}

function invalid (message: string) {
  return invalidInput([{ path: 'querystring.after', message }])
}
