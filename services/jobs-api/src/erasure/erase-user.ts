import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { userHistoryKey, userSessionsKey } from '@tidings/contracts'
import { createBulkStore, type RawSql, type Run } from '@tidings/service-kit'
import { cancelJob } from '../commands/cancel-job.ts'
import { queuedJob } from '../commands/queued-job.ts'
import { countedOut, dependentsRemoved, linesRemoved } from '../db/fragments.ts'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { FoundJob } from '../read/find-jobs.ts'

/** Jobs of one page: a second's work, so that nothing waits long for a lock. */
const PAGE = 200

export type EraseContext = { sql: RawSql, redis: Redis, findQueue: (name: string) => Queue }

/**
 * One pass over everything that this service stores of a user. Open jobs are cancelled, and removed in a later pass,
 * once they have ended; finished jobs are removed with their hashes in BullMQ, timelines, large values and bad items
 * (whose reason may quote the data). Returns the number of jobs found.
 */
export async function eraseUser (
  userId: string, context: EraseContext, { signal, alive }: Run
): Promise<number> {
  const { sql, redis } = context
  let found = 0
  for (let after = 0; !signal.aborted;) {
    const rows = await pageOf(sql, userId, after)
    found += rows.length
    const outOfReach: number[] = []
    for (const row of rows) {
      if (row.state >= FIRST_FINAL_STATE) await removeFinished(row, { ...context, userId })
      else if (!await cancelOpen(row, { ...context, userId })) outOfReach.push(row.n)
    }
    const finished = rows.filter(({ state }) => state >= FIRST_FINAL_STATE).map(({ n }) => n)
    await removeRows(sql, { finished, outOfReach })
    alive?.()
    if (rows.length < PAGE) break
    after = rows.at(-1)?.n ?? after
  }
  await removeRest(sql, userId, found === 0)
  await redis.del(userHistoryKey(userId), userSessionsKey(userId))
  return found
}

async function pageOf (sql: RawSql, userId: string, after: number): Promise<FoundJob[]> {
  return await sql<FoundJob[]>`
    select n, id, queue, name, state, created_ms, ours as submitted_here from jobs.jobs where user_id = ${userId} and n > ${after} order by n limit ${PAGE}`
}

/** The pending job of a scheduler, which its owner must remove; a job of a queue that is not relayed any more. */
const OUT_OF_REACH = new Set(['NOT_CANCELLABLE', 'QUEUE_NOT_FOLLOWED'])

/**
 * Cancels a job, whose row is removed once it has ended. False if it cannot be cancelled from here: then only its row
 * goes.
 */
async function cancelOpen (row: FoundJob, context: EraseContext & { userId: string }): Promise<boolean> {
  try {
    await cancelJob(row, context)
  } catch (err) {
    const { code = '', statusCode } = err as { code?: string, statusCode?: number }
    if (OUT_OF_REACH.has(code)) return false
    if (statusCode !== 409) throw err // it has just ended: the next pass finds it finished
  }
  return true
}

/**
 * Removes a finished job from BullMQ: its data, its result, its log. A queue that is not relayed any more is left
 * unchanged.
 */
async function removeFinished (row: FoundJob, { userId, findQueue }: EraseContext & { userId: string }): Promise<void> {
  const queue = relayedQueue(row.queue, findQueue)
  const { job } = queue ? await queuedJob(row, { userId, queue }) : { job: undefined }
  await job?.remove({ removeChildren: false })
}

function relayedQueue (name: string, findQueue: EraseContext['findQueue']): Queue | undefined {
  try {
    return findQueue(name)
  } catch (err) {
    if (err instanceof RangeError) return undefined
    throw err
  }
}

/**
 * Removes rows and counts them out, as retention does. A statement of its own locks them before, so that the next one
 * sees every line that was written together with them until then.
 */
async function removeRows (
  sql: RawSql, { finished, outOfReach }: { finished: number[], outOfReach: number[] }
): Promise<void> {
  if (finished.length + outOfReach.length === 0) return
  await sql.begin(async tx => {
    await tx`
      select from jobs.jobs where n = any(${[...finished, ...outOfReach]}::bigint[]) order by n for update`
    await tx`
      with removed as (
        delete from jobs.jobs
        where n = any(${finished}::bigint[]) and state >= ${FIRST_FINAL_STATE} or n = any(${outOfReach}::bigint[])
        returning n, queue, id, generation_ms, generation_seq, user_id, state
      ), ${linesRemoved(tx, 0)}, ${dependentsRemoved(tx)}, ${countedOut(tx)}
      delete from jobs.bad_items using removed where bad_items.queue = removed.queue and bad_items.job_id = removed.id`
  })
}

async function removeRest (sql: RawSql, userId: string, isLast: boolean): Promise<void> {
  await sql`delete from jobs.idempotency_keys where user_id = ${userId}`
  await sql`delete from jobs.refresh_families where user_id = ${userId}`
  await sql`delete from jobs.replaced where user_id = ${userId}`
  await createBulkStore(sql, 'jobs').erase(userId)
  if (isLast) await sql`delete from jobs.counts where user_id = ${userId} and count = 0`
}
