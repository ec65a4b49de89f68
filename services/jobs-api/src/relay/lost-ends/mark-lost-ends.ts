import type { FastifyBaseLogger } from 'fastify'
import {
  compareEventIds, formatEventId, isNewer, type EventId, type KnownEnd, type StreamWriter
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { readPosition } from '../../db/projector-position.ts'
import { firstEndIdOf, withFirstEndId, type FirstEndId } from './first-end-id.ts'
import { MAX_DELAY_MS, type Loss } from './stored-ends.ts'

const PAGE = 1000
/** Marks that one loss may leave, some 100 bytes each for as long as the stream keeps events. */
const MAX_MARKS = 500_000

type Context = { sql: RawSql, stream: StreamWriter, log: FastifyBaseLogger }
type Row = {
  n: number
  queue: string
  id: string
  generation_ms: number
  generation_seq: number
  finished_ms: number
} & FirstEndId
type After = { finished: number, n: number }

/**
 * If Redis was restored to an earlier state, jobs whose end it lost run again, although their end was published and
 * Postgres has it. They are marked as finished before the stream continues, so that no end is published twice. The jobs
 * of all queues are marked, since a replica that opens the stream afterwards sees no loss.
 * Returns the minimum id of new events, the highest id that Postgres has seen, and the loss if there is one.
 */
export async function markLostEnds (
  { sql, stream, log }: Context
): Promise<{ minimumId: EventId, loss?: Loss }> {
  for (let marked = { ms: 0, seq: 0 }; ;) {
    const minimumId = await readPosition(sql)
    const last = await lastIdOf(stream)
    // Repeated if Postgres meanwhile projected more of the events that were read before the loss.
    if (!last || !isNewer(minimumId, last)) return { minimumId }
    if (compareEventIds(minimumId, marked) === 0) return { minimumId, loss: { from: last, to: minimumId } }
    const count = await markSince(last, { sql, stream, log })
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
    const rows = await endsSince(sql, last, after)
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

/** Oldest first: jobs that were running when Redis was saved ended soon after. Uses the index jobs_finished. */
async function endsSince (sql: RawSql, { ms, seq }: EventId, { finished, n }: After): Promise<Row[]> {
  return await sql<Row[]>`
    select n, queue, id, generation_ms, generation_seq, first_ms, first_seq, finished_ms from jobs.jobs ${withFirstEndId(sql)}
    where state >= 3 and finished_ms >= ${finished} and (finished_ms, n) > (${finished}, ${n}) and (event_ms, event_seq) > (${ms}, ${seq})
    order by finished_ms, n limit ${PAGE}`
}

function endOf (row: Row): KnownEnd {
  const { queue, id: jobId, generation_ms: ms, generation_seq: seq } = row
  const end = { queue, jobId, id: firstEndIdOf(row), at: row.finished_ms }
  return ms > 0 ? { ...end, generation: formatEventId({ ms, seq }) } : end
}
