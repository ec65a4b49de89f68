import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'
import { isDataError } from '../../db/data-error.ts'
import type { OutcomeEffects } from './outcome-effects.ts'
import { updateOutcomes, type TaskOutcome } from './update-outcomes.ts'
import type { Result, Task } from '../attempt/task.ts'

const MAX_BATCH = 500
const RETRY_MS = 250

type OutcomeWriterOptions = {
  sql: RawSql
  effects: OutcomeEffects
  log: FastifyBaseLogger
  /** A delivery becomes due then. */
  onDue: (dueAt: number) => void
}

export type OutcomeWriter = ReturnType<typeof createOutcomeWriter>

/**
 * Writes results in batches: one statement while endpoints are well, six
 * (begin and commit among them) when an attempt failed, for up to 500 results.
 * What comes while a batch is written makes the next one.
 */
export function createOutcomeWriter ({ sql, effects, log, onDue }: OutcomeWriterOptions) {
  let entries: TaskOutcome[] = []
  let writing: Promise<void> | undefined
  let stopBy = Infinity

  function add (task: Task, result: Result): void {
    entries.push({ task, result })
    writing ??= writeAll().finally(() => { writing = undefined })
  }

  async function writeAll (): Promise<void> {
    await nextTurn() // what ends in the same turn of the loop goes together
    while (entries.length > 0) {
      const batch = entries.slice(0, MAX_BATCH)
      try {
        await write(batch)
        entries = entries.slice(batch.length)
        for (const { result: { decision } } of batch) if (decision.state === 'pending') onDue(decision.dueAt)
      } catch (err) {
        if (performance.now() > stopBy) return log.error({ err, lost: entries.length }, 'delivery: outcomes are lost, these attempts are repeated')
        // In flight is bounded, so is what waits here.
        log.warn({ err, waiting: entries.length }, 'delivery: outcomes could not be written')
        await sleep(RETRY_MS)
      }
    }
  }

  async function write (batch: TaskOutcome[]): Promise<void> {
    try {
      const after = effects.of(batch)
      if (!after) return await updateOutcomes(sql, batch)
      effects.heed(await sql.begin(async tx => {
        await updateOutcomes(tx, batch)
        return await after(tx)
      }))
    } catch (err) {
      if (!isDataError(err)) throw err
      await writeInParts(batch, err)
    }
  }

  /** One entry that Postgres refuses must not hold up the others. */
  async function writeInParts (batch: TaskOutcome[], err: unknown): Promise<void> {
    const middle = batch.length >> 1
    if (middle === 0) return log.error({ err, deliveryId: batch[0]?.task.id }, 'delivery: an outcome was refused')
    await write(batch.slice(0, middle))
    await write(batch.slice(middle))
  }

  return {
    add,
    /** Resolves when all is written, or could not be for so long. */
    async drain (withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}
