import type { FastifyBaseLogger } from 'fastify'
import { pgColumns, type RawSql } from '@tidings/service-kit'
import type { EngineMetrics } from '../metrics.ts'
import { cut, storable } from '../db/text.ts'

const FLUSH_MS = 500
/** Beyond so many between two flushes they are only counted and logged: somebody floods the queue. */
const MAX_WAITING = 500
const MAX_TEXT = 500

export type Consumer = 'relay' | 'reconcile' | 'outbox' | 'projector'

/** What was skipped, by whom and why. `item` is the id of BullMQ's entry, of the job event, or of the row. */
export type BadItem = { consumer: Consumer, queue: string, item: string, jobId?: string | undefined, err: Error }

export type BadItems = ReturnType<typeof createBadItems>

/**
 * Where all loops report what they skip: a line in the log, a count, and a row
 * of `jobs.bad_items`, where support finds it by the job's id. An item that
 * comes again and again has one row.
 */
export function createBadItems ({ sql, metrics, log }: { sql: RawSql, metrics: EngineMetrics, log: FastifyBaseLogger }) {
  const waiting = new Map<string, BadItem>()
  const timer = setInterval(() => { flush().catch(err => log.warn({ err }, 'bad items: not recorded')) }, FLUSH_MS).unref()

  function note (bad: BadItem): void {
    const { consumer, queue, item, jobId, err } = bad
    metrics.badItems.inc({ consumer, queue })
    log.error({ err, consumer, queue, item, jobId: jobId && cut(jobId, MAX_TEXT) }, 'bad item: skipped')
    if (waiting.size < MAX_WAITING) waiting.set(`${consumer} ${queue} ${item}`, bad)
  }

  /** Writes what waits; where Postgres is away it is kept for the next time. */
  async function flush (): Promise<void> {
    const entries = [...waiting]
    if (entries.length === 0) return
    const { texts } = pgColumns(entries.map(([, { consumer, queue, item, jobId, err }]) => ({
      consumer, queue: textOf(queue), item: textOf(item), jobId: jobId === undefined ? undefined : textOf(jobId), reason: textOf(reasonOf(err))
    })))
    await sql`
      insert into jobs.bad_items as known (consumer, queue, item, job_id, reason)
      select * from unnest(
        ${texts('consumer')}::text[], ${texts('queue')}::text[], ${texts('item')}::text[], ${texts('jobId')}::text[], ${texts('reason')}::text[]
      )
      on conflict (consumer, queue, item) do update
        set reason = excluded.reason, times = known.times + 1, last_at = now()`
    for (const [key, bad] of entries) if (waiting.get(key) === bad) waiting.delete(key)
  }

  return {
    note,
    flush,
    async stop (): Promise<void> {
      clearInterval(timer)
      await flush().catch((err: unknown) => log.warn({ err }, 'bad items: not recorded'))
    }
  }
}

function textOf (text: string): string {
  return cut(storable(text), MAX_TEXT)
}

function reasonOf ({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
