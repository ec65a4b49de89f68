import { formatEventId, type EventId } from '@tidings/job-events'
import type { ChangedJob } from './apply-batch.ts'
import type { Tx } from '../db/projector-position.ts'
import { changeKey } from './projection-progress.ts'

export const CHANNEL = 'tidings_jobs_projected'

/**
 * Notifies every replica, when the transaction commits, of the new position and the changed jobs: `<event id> <key> …`,
 * at most 4,000 of the 8,000 bytes that a notification may have (500 jobs in a batch).
 */
export async function announceBatch (tx: Tx, to: EventId, changed: ChangedJob[]): Promise<void> {
  const keys = changed.map(({ userId, identity }) => changeKey(userId, identity.id))
  await tx`select pg_notify(${CHANNEL}, ${[formatEventId(to), ...keys].join(' ')})`
}
