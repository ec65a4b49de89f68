import type { FastifyBaseLogger } from 'fastify'
import { compareEventIds, formatEventId, isNewer, type EventId, type StreamWriter, type KnownEnd } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { readPosition } from '../db/projector-position.ts'

const PAGE = 1000
/** Marks that one loss may leave, some 100 bytes each for as long as the stream keeps events. */
const MAX_MARKS = 500_000
/** An end may be told so long after the job had it. */
const LATEST_MS = 3_600_000

type Context = { sql: RawSql, stream: StreamWriter, log: FastifyBaseLogger }
type Row = { n: number, queue: string, id: string, generation_ms: number, generation_seq: number, event_ms: number, event_seq: number, finished_ms: number }
type After = { finished: number, n: number }

/**
 * Where Redis was restored to an earlier state, jobs whose end it has forgotten
 * run again; it was told already, and Postgres has it. They are marked as
 * finished before the stream goes on, so that nobody is told of it again. Of
 * all queues, since whoever opens the stream afterwards sees no loss.
 * Returns the floor: the highest id that Postgres has seen.
 */
export async function markLostEnds ({ sql, stream, log }: Context): Promise<EventId> {
  for (let marked = { ms: 0, seq: 0 }; ;) {
    const floor = await readPosition(sql)
    const last = await lastOf(stream)
    // Again where Postgres took in more meanwhile, of what was read before the loss.
    if (!last || !isNewer(floor, last) || compareEventIds(floor, marked) === 0) return floor
    const count = await markSince(last, { sql, stream, log })
    if (count !== undefined) log.warn({ from: formatEventId(last), to: formatEventId(floor), ends: count }, 'relay: Redis has lost events, jobs that ended in them stay as they are')
    marked = floor
  }
}

/** Undefined where there is no stream, or where its last id is of somebody else's entry: opening it makes or mends it. */
async function lastOf (stream: StreamWriter): Promise<EventId | undefined> {
  try {
    return await stream.last()
  } catch (err) {
    if (err instanceof TypeError) return undefined
    throw err
  }
}

/** Undefined where another replica was faster. */
async function markSince (last: EventId, { sql, stream, log }: Context): Promise<number | undefined> {
  let count = 0
  for (let after: After = { finished: last.ms - LATEST_MS, n: 0 }; ;) {
    const rows = await endsSince(sql, last, after)
    if (!await stream.markEnds(last, rows.map(endOf))) return undefined
    count += rows.length
    const end = rows.at(-1)
    if (!end || rows.length < PAGE) return count
    if (count >= MAX_MARKS) {
      log.error({ ends: count }, 'relay: more ends were lost than can be marked: jobs that run again are told of again')
      return count
    }
    after = { finished: end.finished_ms, n: end.n }
  }
}

/** Oldest first: who ran when Redis was saved ended soon after. By index jobs_finished. */
async function endsSince (sql: RawSql, { ms, seq }: EventId, { finished, n }: After): Promise<Row[]> {
  return await sql<Row[]>`
    select n, queue, id, generation_ms, generation_seq, event_ms, event_seq, finished_ms from jobs.jobs
    where state >= 3 and finished_ms >= ${finished} and (finished_ms, n) > (${finished}, ${n}) and (event_ms, event_seq) > (${ms}, ${seq})
    order by finished_ms, n limit ${PAGE}`
}

function endOf (row: Row): KnownEnd {
  const { queue, id: jobId, generation_ms: ms, generation_seq: seq } = row
  return { queue, jobId, id: { ms: row.event_ms, seq: row.event_seq }, at: row.finished_ms, ...(ms > 0 && { generation: formatEventId({ ms, seq }) }) }
}
