import { setImmediate as nextTick } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { isItemFault, limitStep, pause, type Loops, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../../db/sql.ts'
import type { Result, Task } from '../attempt/task.ts'
import { insertRows, type ClaimedRow } from './insert-rows.ts'
import type { OutcomeEffects } from './outcome-effects.ts'
import {
  halves, outcomesOf, withoutResponses, type InsertedTask, type InsertWrite, type OutcomeWrite, type TaskOutcome
} from './outcome-write.ts'
import { updateRows } from './update-rows.ts'

/** Outcomes of rows in one statement. */
const MAX_UPDATED = 500
const RETRY_MS = 250

type OutcomeWriterOptions = {
  sql: RawSql
  effects: OutcomeEffects
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
  /** A delivery becomes due at that time. */
  onDue: (dueAt: number) => void
  timeoutMs?: number
}

export type OutcomeWriter = ReturnType<typeof createOutcomeWriter>

/**
 * Writes the outcomes of deliveries, with their attempts and their effects: into new rows (`insert`), or into the rows
 * of claimed deliveries (`update`). A write is repeated unchanged until Postgres has it; no attempt is repeated. If one
 * was given up and is done after all, its repetition is fenced: by the position, or by the claims.
 */
export function createOutcomeWriter (
  { sql, effects, loops, log, onDue, timeoutMs }: OutcomeWriterOptions
) {
  const loop = loops.watch('outcomes of deliveries', timeoutMs)
  let updates: TaskOutcome[] = []
  let updating: Promise<void> | undefined
  let stopBy = Infinity

  /**
   * Inserts new events with their deliveries. Tasks in flight get the ids of their rows. False: nothing more is to be
   * inserted, because the position is no longer the worker's to move, or the shard's reader gave up.
   */
  async function insert (write: InsertWrite): Promise<boolean> {
    return await persist(write)
  }

  /**
   * Queues the outcome of a task that has a row. Outcomes are written in batches of up to 500; those that arrive during
   * a write make up the next batch.
   */
  function update (task: Task, result: Result): void {
    updates.push({ task, result })
    updating ??= writeUpdates().finally(() => { updating = undefined })
  }

  async function writeUpdates (): Promise<void> {
    await nextTick() // the outcomes of one tick of the event loop share a statement
    while (updates.length > 0) {
      const tasks = updates.slice(0, MAX_UPDATED)
      if (!await persist({ kind: 'update', tasks })) {
        return log.error({ lost: updates.length }, 'delivery: outcomes are lost, these attempts will be repeated')
      }
      updates = updates.slice(tasks.length)
    }
  }

  /** Repeats a write until it is done; false where it was fenced, or given up. */
  async function persist (write: OutcomeWrite): Promise<boolean> {
    do {
      try {
        const rows = await limited(write)
        report(write, undefined)
        if (rows) settle(write, rows)
        return rows !== undefined
      } catch (err) {
        report(write, err as Error)
        if (isItemFault(err)) return await persistInParts(write, err)
        // Attempts in flight are bounded, and so are the outcomes that wait here.
        log.warn({ err, ...described(write) }, 'delivery: outcomes could not be written, will be tried again')
        await pause(RETRY_MS)
      }
    } while (mayRetry(write))
    return false
  }

  /** The stall of a shard is seen by its position. */
  async function limited (write: OutcomeWrite): Promise<ClaimedRow[] | undefined> {
    if (write.kind === 'insert') return await limitStep(writeOnce(write), timeoutMs)
    return await loop.step(async () => await writeOnce(write))
  }

  /**
   * One statement where all went well; six, begin and commit among them, where an attempt failed or new events wait.
   * Undefined where nothing was written because the position of a shard is no longer ours to move.
   */
  async function writeOnce (write: OutcomeWrite): Promise<ClaimedRow[] | undefined> {
    const writeEffects = effects.of(outcomesOf(write))
    if (!writeEffects) return await writeRows(sql, write)
    const { rows, health } = await sql.begin(async tx => {
      const rows = await writeRows(tx, write)
      return { rows, health: rows ? await writeEffects(tx) : [] }
    })
    effects.syncHealth(health)
    return rows
  }

  function settle (write: OutcomeWrite, rows: ClaimedRow[]): void {
    if (write.kind === 'insert') attachRowIds(write.tasks, rows)
    for (const { result } of write.tasks) if (result?.decision.state === 'pending') onDue(result.decision.dueAt)
  }

  /**
   * What Postgres refuses must not delay the rest: it is isolated and, where it is still refused without the texts of
   * its response, skipped.
   */
  async function persistInParts (write: OutcomeWrite, err: unknown): Promise<boolean> {
    const parts = halves(write)
    if (parts) return await persist(parts[0]) && await persist(parts[1])
    const plain = withoutResponses(write)
    if (plain) return await persist(plain)
    return await skip(write, err)
  }

  async function skip (write: OutcomeWrite, err: unknown): Promise<boolean> {
    switch (write.kind) {
      case 'insert': {
        const [event] = write.events
        if (!event) throw err
        await limitStep(write.shardWriter.onRefused(event, err), timeoutMs)
        return await persist({ ...write, events: [], tasks: [] })
      }
      case 'update': {
        log.error({ err, ...described(write) }, 'delivery: an outcome was refused')
        return true
      }
      default: return write satisfies never
    }
  }

  function mayRetry (write: OutcomeWrite): boolean {
    switch (write.kind) {
      case 'insert': return write.shardWriter.mayRetry()
      case 'update': return performance.now() <= stopBy
      default: return write satisfies never
    }
  }

  return {
    insert,
    update,
    /** Resolves when all updates are written, or after this time. */
    async drain (withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await updating
    }
  }
}

async function writeRows (sql: Sql, write: OutcomeWrite): Promise<ClaimedRow[] | undefined> {
  switch (write.kind) {
    case 'insert': return await insertRows(sql, write)
    case 'update': {
      await updateRows(sql, write.tasks)
      return []
    }
    default: return write satisfies never
  }
}

function attachRowIds (tasks: readonly InsertedTask[], rows: ClaimedRow[]): void {
  const ids = new Map(rows.map(row => [`${row.webhook_id} ${row.event_ms}-${row.event_seq}`, row.id]))
  for (const { task, result } of tasks) {
    const id = result ? undefined : ids.get(`${task.target.id} ${task.eventId.ms}-${task.eventId.seq}`)
    if (id !== undefined) task.id = id
  }
}

function report (write: OutcomeWrite, fault: Error | undefined): void {
  if (write.kind === 'insert') write.shardWriter.onFault(fault)
}

/** What a line of the log says about a write. */
function described (write: OutcomeWrite) {
  switch (write.kind) {
    case 'insert': return { shard: write.shard, tasks: write.tasks.length }
    case 'update': return { deliveryId: write.tasks[0]?.task.id, tasks: write.tasks.length }
    default: return write satisfies never
  }
}
