import type { FastifyBaseLogger } from 'fastify'
import { pgColumns, replaceNul, startPeriodicTasks, type Loops, type RawSql } from '@tidings/service-kit'
import { truncateUtf8 } from '../db/text.ts'
import type { BackgroundMetrics } from '../metrics.ts'

const FLUSH_MS = 500
/** More items than this between two flushes are only counted and logged: somebody floods the queue. */
const MAX_PENDING = 500
const MAX_TEXT = 500

type Consumer = 'relay' | 'reconcile' | 'outbox' | 'projector'

/** A skipped item, its consumer and the reason. `item` is the id of a BullMQ entry, of a job event, or of a row. */
type BadItem = { consumer: Consumer, queue: string, item: string, jobId?: string | undefined, err: Error }

type BadItemsOptions = {
  sql: RawSql
  metrics: BackgroundMetrics
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
}

export type BadItems = ReturnType<typeof createBadItems>

/**
 * Reports skipped items: a line in the log, a count, and a row of `jobs.bad_items`, which support can find by the job's
 * id. An item that is skipped repeatedly has one row.
 */
export function createBadItems ({ sql, metrics, loops, log }: BadItemsOptions) {
  const pending = new Map<string, BadItem>()
  const flushing = startPeriodicTasks([{ name: 'bad items', everyMs: FLUSH_MS, run: flush }], { loops, log })

  function report (bad: BadItem): void {
    const { consumer, queue, item, jobId, err } = bad
    metrics.badItems.inc({ consumer, queue })
    log.error({ err, consumer, queue, item, jobId: jobId && truncateUtf8(jobId, MAX_TEXT) }, 'bad item: skipped')
    if (pending.size < MAX_PENDING) pending.set(`${consumer} ${queue} ${item}`, bad)
  }

  /**
   * Writes the pending items; while Postgres is away they are kept for the next flush. Written twice, because the first
   * try had succeeded after all, an item counts once more.
   */
  async function flush (): Promise<void> {
    const entries = [...pending]
    if (entries.length === 0) return
    const { texts } = pgColumns(entries.map(([, { consumer, queue, item, jobId, err }]) => ({
      consumer,
      queue: textOf(queue),
      item: textOf(item),
      jobId: jobId === undefined ? undefined : textOf(jobId),
      reason: textOf(reasonOf(err))
    })))
    await sql`
      insert into jobs.bad_items as known (consumer, queue, item, job_id, reason)
      select * from unnest(
        ${texts('consumer')}::text[], ${texts('queue')}::text[], ${texts('item')}::text[], ${texts('jobId')}::text[], ${texts('reason')}::text[]
      )
      on conflict (consumer, queue, item) do update
        set reason = excluded.reason, times = known.times + 1, last_at = now()`
    for (const [key, bad] of entries) if (pending.get(key) === bad) pending.delete(key)
  }

  return {
    report,
    flush,
    async stop (): Promise<void> {
      await flushing.stop()
      await flush().catch((err: unknown) => log.warn({ err }, 'bad items: not recorded'))
    }
  }
}

function textOf (text: string): string {
  return truncateUtf8(replaceNul(text), MAX_TEXT)
}

function reasonOf ({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
