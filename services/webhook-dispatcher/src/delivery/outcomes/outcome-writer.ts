import { setImmediate as nextTick } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { pause, type RawSql } from '@tidings/service-kit'
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
  /** A delivery becomes due at that time. */
  onDue: (dueAt: number) => void
}

export type OutcomeWriter = ReturnType<typeof createOutcomeWriter>

/**
 * Writes outcomes in batches of up to 500: one statement while endpoints are
 * healthy, six (begin and commit among them) when an attempt failed. Outcomes
 * that arrive during a write make up the next batch.
 */
export function createOutcomeWriter ({ sql, effects, log, onDue }: OutcomeWriterOptions) {
  let outcomes: TaskOutcome[] = []
  let writing: Promise<void> | undefined
  let stopBy = Infinity

  function add (task: Task, result: Result): void {
    outcomes.push({ task, result })
    writing ??= writeAll().finally(() => { writing = undefined })
  }

  async function writeAll (): Promise<void> {
    await nextTick() // the outcomes of one tick of the event loop share a statement
    while (outcomes.length > 0) {
      const batch = outcomes.slice(0, MAX_BATCH)
      try {
        await write(batch)
        outcomes = outcomes.slice(batch.length)
        for (const { result: { decision } } of batch) if (decision.state === 'pending') onDue(decision.dueAt)
      } catch (err) {
        if (performance.now() > stopBy) {
          return log.error(
            { err, lost: outcomes.length }, 'delivery: outcomes are lost, these attempts will be repeated'
          )
        }
        // Attempts in flight are bounded, and so are the outcomes that wait here.
        log.warn({ err, waiting: outcomes.length }, 'delivery: outcomes could not be written, will be tried again')
        await pause(RETRY_MS)
      }
    }
  }

  async function write (batch: TaskOutcome[]): Promise<void> {
    try {
      const writeEffects = effects.of(batch)
      if (!writeEffects) return await updateOutcomes(sql, batch)
      effects.syncHealth(await sql.begin(async tx => {
        await updateOutcomes(tx, batch)
        return await writeEffects(tx)
      }))
    } catch (err) {
      if (!isDataError(err)) throw err
      await writeInParts(batch, err)
    }
  }

  /** One outcome that Postgres refuses must not delay the others. */
  async function writeInParts (batch: TaskOutcome[], err: unknown): Promise<void> {
    const middle = batch.length >> 1
    if (middle === 0) return log.error({ err, deliveryId: batch[0]?.task.id }, 'delivery: an outcome was refused')
    await write(batch.slice(0, middle))
    await write(batch.slice(middle))
  }

  return {
    add,
    /** Resolves when all is written, or after this time. */
    async drain (withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}
