import { compareEventIds, type EventId } from '@tidings/job-events'
import type { Result, Task } from '../attempt/task.ts'

/** An event that at least one webhook receives. */
export type MatchedEvent = { id: EventId, userId: string, type: string, orderingKey: string, body: string }

export type TaskOutcome = { task: Task, result: Result }

/** A task without a result is in flight: its row is inserted as claimed by the worker. */
export type InsertedTask = { task: Task, result: Result | undefined }

/** The reader of a shard, for which rows are inserted. */
export type ShardWriter = {
  /** Whether a failed write is repeated. */
  mayRetry: () => boolean
  /** Called with the error of each failed try, and with undefined after a try that succeeded. */
  onFault: (fault: Error | undefined) => void
  /** Records an event that Postgres refuses; it is skipped then. */
  onRefused: (event: MatchedEvent, err: unknown) => Promise<void>
}

/**
 * New events with what is known of their deliveries, and the position of their shard, which moves from `from` to `to`:
 * written only while the position is at `from` and `workerId` holds the shard.
 */
export type InsertWrite = {
  kind: 'insert'
  shard: number
  workerId: number
  from: EventId
  to: EventId
  events: readonly MatchedEvent[]
  tasks: readonly InsertedTask[]
  shardWriter: ShardWriter
}

/** Outcomes of deliveries that have rows: each is written only while the worker of its task holds the row. */
export type UpdateWrite = { kind: 'update', tasks: readonly TaskOutcome[] }

/** What one transaction writes. */
export type OutcomeWrite = InsertWrite | UpdateWrite

/** The outcomes among what is written. */
export function outcomesOf (write: OutcomeWrite): readonly TaskOutcome[] {
  switch (write.kind) {
    case 'insert': return write.tasks.flatMap(({ task, result }) => result ? [{ task, result }] : [])
    case 'update': return write.tasks
    default: return write satisfies never
  }
}

/**
 * A write in two halves, of which the older is to be written first; undefined where it holds one event, or one outcome.
 */
export function halves (write: OutcomeWrite): [OutcomeWrite, OutcomeWrite] | undefined {
  switch (write.kind) {
    case 'insert': return halvesOfInsert(write)
    case 'update': {
      const middle = write.tasks.length >> 1
      if (middle === 0) return undefined
      return [{ ...write, tasks: write.tasks.slice(0, middle) }, { ...write, tasks: write.tasks.slice(middle) }]
    }
    default: return write satisfies never
  }
}

/** Each half moves the position part of the way. */
function halvesOfInsert (write: InsertWrite): [InsertWrite, InsertWrite] | undefined {
  const { events, tasks } = write
  const middle = events.length >> 1
  const last = events[middle - 1]
  if (!last) return undefined
  const isOlder = ({ task }: InsertedTask) => compareEventIds(task.eventId, last.id) <= 0
  return [
    { ...write, to: last.id, events: events.slice(0, middle), tasks: tasks.filter(isOlder) },
    { ...write, from: last.id, events: events.slice(middle), tasks: tasks.filter(one => !isOlder(one)) }
  ]
}

/** The write without the texts of responses; undefined where it has none. */
export function withoutResponses (write: OutcomeWrite): OutcomeWrite | undefined {
  if (!outcomesOf(write).some(({ result }) => quotes(result))) return undefined
  switch (write.kind) {
    case 'insert': {
      const tasks = write.tasks.map(({ task, result }) => ({ task, result: result && withoutResponse(result) }))
      return { ...write, tasks }
    }
    case 'update': {
      return { ...write, tasks: write.tasks.map(({ task, result }) => ({ task, result: withoutResponse(result) })) }
    }
    default: return write satisfies never
  }
}

function quotes ({ attempt }: Result): boolean {
  return attempt !== undefined && ['message', 'responseHeaders', 'responseBody'].some(name => name in attempt.outcome)
}

function withoutResponse (result: Result): Result {
  if (!result.attempt) return result
  const { ok, status, errorClass, durations } = result.attempt.outcome
  const outcome = {
    ok, durations, ...(status !== undefined && { status }), ...(errorClass !== undefined && { errorClass })
  }
  return { ...result, attempt: { ...result.attempt, outcome } }
}
