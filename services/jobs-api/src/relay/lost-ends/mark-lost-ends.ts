import type { FastifyBaseLogger } from 'fastify'
import {
  compareEventIds, formatEventId, isNewer, type EventId, type KnownEnd, type StreamWriter
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { readPosition } from '../../db/projector-position.ts'
import { END_COLUMNS, republishStoredEnds, type EndedRow } from './republish-stored-ends.ts'

/** Results of up to 64 KiB each. */
const PAGE = 500
/** Marks that one loss may leave, some 100 bytes each for as long as the stream keeps events. */
const MAX_MARKS = 500_000
/** Ends that are published again after one loss. */
const MAX_REPUBLISHED = 20_000
/** An end may be published this long after the job had it. */
const MAX_DELAY_MS = 3_600_000

type Context = {
  /** The queue of the relay. */
  queue: string
  sql: RawSql
  stream: StreamWriter
  log: FastifyBaseLogger
}
type MarkedRow = Pick<
  EndedRow, 'n' | 'queue' | 'id' | 'generation_ms' | 'generation_seq' | 'event_ms' | 'event_seq' | 'finished_ms'
>
const MARK_COLUMNS = 'n, queue, id, generation_ms, generation_seq, event_ms, event_seq, finished_ms'
type After = { finished: number, n: number }

/**
 * If Redis was restored to an earlier state, jobs whose end it lost run again, although their end was published and
 * Postgres has it. They are marked as finished before the stream continues, so that no end is published twice. The jobs
 * of all queues are marked, since a replica that opens the stream afterwards sees no loss.
 * Then these ends are published again, for consumers that had not read them. Returns the minimum id of new events: the
 * highest id that Postgres has seen, or that of the last of these ends.
 */
export async function markLostEnds (context: Context): Promise<EventId> {
  const { sql, stream, log } = context
  for (let marked = { ms: 0, seq: 0 }; ;) {
    const minimumId = await readPosition(sql)
    const last = await lastIdOf(stream)
    // Repeated if Postgres meanwhile projected more of the events that were read before the loss.
    if (!last || !isNewer(minimumId, last)) return minimumId
    if (compareEventIds(minimumId, marked) === 0) return await republishBetween(last, minimumId, context)
    const count = await markSince(last, context)
    if (count === undefined) continue
    const [from, to] = [last, minimumId].map(formatEventId)
    log.warn({ from, to, ends: count }, 'relay: Redis has lost events; jobs that ended in them keep their end')
    marked = minimumId
  }
}

/** Undefined if there is no stream, or if its last id is that of a foreign entry: opening it creates or repairs it. */
async function lastIdOf (stream: StreamWriter): Promise<EventId | undefined> {
  try {
    return await stream.last()
  } catch (err) {
    if (err instanceof TypeError) return undefined
    throw err
  }
}

/** The number of marked ends; undefined if another replica was faster. */
async function markSince (last: EventId, { sql, stream, log }: Context): Promise<number | undefined> {
  let count = 0
  for (let after: After = { finished: last.ms - MAX_DELAY_MS, n: 0 }; ;) {
    const rows = await endsSince<MarkedRow>(sql, last, after, MARK_COLUMNS)
    if (!await stream.markEnds(last, rows.map(endOf))) return undefined
    count += rows.length
    const end = rows.at(-1)
    if (!end || rows.length < PAGE) return count
    if (count >= MAX_MARKS) {
      log.error({ ends: count }, 'relay: more ends were lost than can be marked; jobs that run again end twice')
      return count
    }
    after = { finished: end.finished_ms, n: end.n }
  }
}

/**
 * Publishes the ends between two ids again, of all queues. Returns the last id of the stream.
 */
async function republishBetween (from: EventId, to: EventId, { queue, sql, stream, log }: Context): Promise<EventId> {
  let last = to
  let count = 0
  for (let after: After = { finished: from.ms - MAX_DELAY_MS, n: 0 }; ;) {
    const rows = await endsSince<EndedRow>(sql, from, after, END_COLUMNS)
    const ends = rows.filter(row => !isNewer({ ms: row.event_ms, seq: row.event_seq }, to))
    last = await republishStoredEnds(ends, { queue, stream, minimumId: last })
    count += ends.length
    const end = rows.at(-1)
    if (!end || rows.length < PAGE) break
    if (count >= MAX_REPUBLISHED) {
      log.error({ ends: count }, 'relay: Redis has lost more ends than are published again')
      break
    }
    after = { finished: end.finished_ms, n: end.n }
  }
  if (count > 0) log.warn({ ends: count }, 'relay: the ends that Redis has lost and Postgres has were published again')
  return last
}

/** Oldest first: jobs that were running when Redis was saved ended soon after. Uses the index jobs_finished. */
async function endsSince<Row extends MarkedRow> (
  sql: RawSql, { ms, seq }: EventId, { finished, n }: After, columns: string
): Promise<Row[]> {
  return await sql<Row[]>`
    select ${sql.unsafe(columns)} from jobs.jobs
    where state >= 3 and finished_ms >= ${finished} and (finished_ms, n) > (${finished}, ${n}) and (event_ms, event_seq) > (${ms}, ${seq})
    order by finished_ms, n limit ${PAGE}`
}

function endOf (row: MarkedRow): KnownEnd {
  const { queue, id: jobId, generation_ms: ms, generation_seq: seq } = row
  const end = { queue, jobId, id: { ms: row.event_ms, seq: row.event_seq }, at: row.finished_ms }
  return ms > 0 ? { ...end, generation: formatEventId({ ms, seq }) } : end
}
