import { compareEventIds } from '@tidings/job-events'
import type { Result } from '../delivery/attempt/task.ts'
import type { BatchInsert } from './insert-batch.ts'

/** A batch in two halves, each moving the position part of the way; undefined where there is one event. */
export function halves (batch: BatchInsert): [BatchInsert, BatchInsert] | undefined {
  const { events, tasks } = batch
  const middle = events.length >> 1
  const last = events[middle - 1]
  if (!last) return undefined
  const isOlder = ({ task }: typeof tasks[number]) => compareEventIds(task.eventId, last.id) <= 0
  return [
    { ...batch, to: last.id, events: events.slice(0, middle), tasks: tasks.filter(isOlder) },
    { ...batch, from: last.id, events: events.slice(middle), tasks: tasks.filter(one => !isOlder(one)) }
  ]
}

/** The batch without the texts of responses; undefined where it has none. */
export function withoutResponses (batch: BatchInsert): BatchInsert | undefined {
  const isQuoted = batch.tasks.some(({ result }) => result && quotes(result))
  if (!isQuoted) return undefined
  return {
    ...batch, tasks: batch.tasks.map(({ task, result }) => ({ task, result: result && withoutResponse(result) }))
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
