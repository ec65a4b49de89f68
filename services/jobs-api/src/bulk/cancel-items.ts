import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { numberArray, type ItemOutcome, type RawSql } from '@tidings/service-kit'
import { carryOutCancel } from '../commands/cancel-job.ts'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import { done, eachOf, failed, skipped, type Item, type ItemRow } from './items.ts'

const FINISHED = 'The job had finished already'
const GONE = 'The job is no longer kept'

export type CancelContext = { sql: RawSql, redis: Redis, findQueue: (name: string) => Queue, userId: string }

/**
 * Cancels jobs, each once: the cancel requests are written together with what was begun, and an item is repeated only
 * while its request is stored. A retry withdraws it, and the next run of the job is left alone.
 */
export async function cancelItems (bulk: number, items: Item[], context: CancelContext): Promise<ItemOutcome[]> {
  const requested = await requestCancels(context.sql, bulk, items.filter(({ intent, row }) => intent === null && row))
  return await eachOf(items, async item => {
    const { row, intent } = item
    if (!row) return intent === null ? skipped(item, GONE) : done(item)
    if (intent !== null) return isOpen(row) && row.is_cancelled ? await cancel(item, row, context) : done(item)
    return requested.has(item.place) ? await cancel(item, row, context) : skipped(item, FINISHED)
  })
}

const isOpen = ({ state }: ItemRow) => state < FIRST_FINAL_STATE

async function cancel (item: Item, row: ItemRow, context: CancelContext): Promise<ItemOutcome> {
  try {
    await carryOutCancel(row, context)
    return done(item)
  } catch (err) {
    const { statusCode, code, message } = err as { statusCode?: number, code?: string, message: string }
    if (statusCode === undefined || statusCode >= 500) throw err // Redis is away: the whole page is repeated
    return code === 'JOB_FINISHED' ? skipped(item, FINISHED) : failed(item, message)
  }
}

/** Requests to cancel those of the jobs that are open; returns their places. Locks rows in the projector's order. */
async function requestCancels (sql: RawSql, bulk: number, items: Item[]): Promise<Set<number>> {
  if (items.length === 0) return new Set()
  const rows = await sql<{ place: number }[]>`
    with open as (
      select n from jobs.jobs
      where n = any(${numberArray(items.flatMap(({ row }) => row?.n ?? []))}::bigint[]) and state < ${FIRST_FINAL_STATE}
      order by n for update
    ), requested as (
      update jobs.jobs set cancel_requested_at = coalesce(cancel_requested_at, now()) from open where jobs.n = open.n
      returning jobs.n
    )
    update jobs.bulk_items set intent = 'cancel' from requested
    where bulk = ${bulk} and place = any(${numberArray(items.map(({ place }) => place))}::int[]) and job = requested.n
    returning place`
  return new Set(rows.map(({ place }) => place))
}
