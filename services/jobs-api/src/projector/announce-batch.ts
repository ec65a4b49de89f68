import { formatEventId, type EventId } from '@tidings/job-events'
import type { ChangedJob } from './apply-batch.ts'
import type { Tx } from '../db/projector-position.ts'
import { changeKey } from './projection-progress.ts'

export const CHANNEL = 'tidings_jobs_projected'

/**
 * Tells every replica, when the transaction commits, how far the rows have come
 * and which jobs changed: `<event id> <key> <key> …`, at most 4,000 of the
 * 8,000 bytes that a notification may have (500 jobs a batch).
 */
export async function announceBatch (tx: Tx, to: EventId, changed: ChangedJob[]): Promise<void> {
  const keys = changed.map(({ userId, identity }) => changeKey(userId, identity.id))
  await tx`select pg_notify(${CHANNEL}, ${[formatEventId(to), ...keys].join(' ')})`
}
