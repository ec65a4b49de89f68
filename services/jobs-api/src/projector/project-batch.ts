import type { PublishedJobEvent } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { announceBatch } from './announce-batch.ts'
import { applyBatch } from './apply-batch.ts'
import { identityColumns, identityOf } from '../db/job-identity.ts'
import { insertRows } from './insert-rows.ts'
import { lockRows } from './lock-rows.ts'
import { moveCounters } from './move-counters.ts'
import { movePosition } from '../db/projector-position.ts'
import { removeReplaced } from './remove-replaced.ts'
import { updateRows } from './update-rows.ts'
import { writeTimeline } from './write-timeline.ts'

type Batch = { from: EventId, to: EventId, events: PublishedJobEvent[] }

/**
 * Projects a batch and moves the position, in one transaction. Returns false and changes nothing if the position is not
 * at the start of the batch, because another replica was faster.
 */
export async function projectBatch (sql: RawSql, { from, to, events }: Batch): Promise<boolean> {
  return await sql.begin(async tx => {
    // A second replica waits here for the row until the first has committed, then finds the position moved.
    if (!await movePosition(tx, from, to)) return false
    const rows = await lockRows(tx, identityColumns(events.map(identityOf)))
    const changed = applyBatch(events, rows)
    const kept = changed.filter(({ after }) => !after.replaced)
    await insertRows(tx, kept.filter(({ n }) => n === undefined))
    // In the order in which they are sent: the timeline takes samples from the rows.
    await Promise.all([
      writeTimeline(tx, kept),
      updateRows(tx, kept.filter(({ stateBefore }) => stateBefore !== undefined)),
      moveCounters(tx, changed),
      removeReplaced(tx, changed.filter(({ after }) => after.replaced)),
      announceBatch(tx, to, changed)
    ])
    return true
  })
}
